/* SPDX-License-Identifier: MIT */
/* What a configuration offers to the other bindings. `values` is the index of hol_config_values. */
#ifndef HOL_CONFIG_H
#define HOL_CONFIG_H

#include "l_node.h"

/* config.new as a lua_CFunction's body: the text or table at 1 → the config, or nil and the error. */
int hol_config_new(lua_State *L);

/* The config at the index, or raises. */
hol_doc *hol_config_check(lua_State *L, int index);

/* Pushes the table of the config's text and values. */
void hol_config_values(lua_State *L, int config);
const char *hol_config_text(lua_State *L, int values);

/* Pushes member i's value as a script gets it, decoded now if nobody touched it before; or as it came, decoded anew,
 * plain. */
void hol_config_value(lua_State *L, hol_doc *doc, int config, int values, size_t i);
void hol_config_original(lua_State *L, hol_doc *doc, int values, size_t i);

/* Pushes the member's name. */
void hol_config_name(lua_State *L, const char *text, const ho_member *m);

#endif
