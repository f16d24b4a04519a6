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

/* Pushes member i's value as a script gets it, decoded now if nobody touched it before; or as it was before it was edited, plain, which
 * stays the config's own. */
void hol_config_value(lua_State *L, hol_doc *doc, int config, int values, size_t i);
void hol_config_original(lua_State *L, hol_doc *doc, int values, size_t i);

/* Makes the plain value on top, which it pops, member i's. */
void hol_config_set(lua_State *L, hol_doc *doc, int config, int values, size_t i);

/* The place of the member whose name is the string at the index, or doc->count. */
size_t hol_config_find(lua_State *L, const hol_doc *doc, int values, int name);

/* Pushes the member's name. */
void hol_config_name(lua_State *L, const char *text, const ho_member *m);

/* Writes member i anew, as it goes to the service where it was edited. */
void hol_config_write(hol_writer *w, const hol_doc *doc, int values, size_t i);

/* What the library's own Lua side asks of a configuration, part by part. (l_parts.c) */
extern const luaL_Reg hol_part_functions[];

#endif
