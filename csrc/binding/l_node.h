/* SPDX-License-Identifier: MIT */
/* A node is what a script holds of a document: an object or a list with a validating metatable. Its data is a plain Lua
 * table, reached only through here. Where the VM honours the metamethods of tables (HOL_TABLE_CARRIERS) the node is a
 * table that holds nothing but two private keys, so that rawly handing it to lua-cjson fails loudly; elsewhere it is a
 * userdata. */
#ifndef HOL_NODE_H
#define HOL_NODE_H

#include "hol.h"

#include "../core/check.h"
#include "../core/scan.h"
#include "../core/schema.h"

/* What a node is. Lives in the references' userdata of types, one for each object and list of the schema and two for
 * what it does not know. */
typedef struct hol_type {
    const ho_field *field;   /* its place in the schema: an object, a list, or a list's item; NULL: unknown to it */
    const ho_object *object; /* an object's fields; NULL: any, or a list */
    const ho_field *item;    /* a list's members; NULL: any, or an object */
    bool list;
    int ref; /* its metatable's place in the references */
} hol_type;

/* One member of the document: where its text lies and what became of it. */
typedef struct hol_member {
    ho_member text;
    const ho_field *field; /* the schema's part, or NULL */
    bool edited;
} hol_member;

/* A parsed document; userdata. Its uservalue is a table: [HOL_DOC_TEXT] the text, [HOL_DOC_SELF] the document itself (a
 * part keeps the table, and so the document), [HOL_DOC_VALUES + i] the value of member i once touched,
 * [HOL_DOC_VALUES + count + i] what that was before it was edited, plain, or [HOL_DOC_VALUES + 2 * count + i] what its fields were,
 * see hol_field_edit. */
typedef struct hol_doc {
    bool server;  /* came from the service: what it broke is a warning until it is edited */
    bool sealed;  /* what edits it raises: the function that was to edit it has returned */
    size_t edits; /* how many edits were made, also those that a later one took back */
    size_t count;
    hol_member members[];
} hol_doc;
enum { HOL_DOC_TEXT = 1, HOL_DOC_SELF, HOL_DOC_VALUES };

/* The link from a node to its document; userdata, its uservalue is the document's. */
typedef struct hol_part {
    hol_doc *doc;
    size_t index;
} hol_part;

/* The type of the node at the index, or NULL where the value is no node. */
const hol_type *hol_node_type(lua_State *L, int index);

/* Pushes the node's data table. Raises where it was tampered with (rawset). */
void hol_node_data(lua_State *L, int index);

/* The same for the first argument of a metamethod, which must be a node of that type: a script may have taken the metamethod
 * from its node (debug.getmetatable). */
void hol_node_self(lua_State *L, const hol_type *type);

/* Pushes the node's part → it. Raises where it was tampered with. */
hol_part *hol_node_part(lua_State *L, int index);

/* The third thing a list keeps, see l_list.c: the slot of a node that may hold a userdata; pushed, or set from the top.
 */
int hol_node_slot(lua_State *L, int index);
void hol_node_setslot(lua_State *L, int index);

/* Replaces the data table on top by a new node over it, of the part at `part`; an array is marked as one, so that it stays one
 * when it becomes empty. An empty object that the service sent in a list's place stays what it is until it has an item. */
void hol_node_new(lua_State *L, const hol_type *type, int part);

/* Replaces the value on top by its data where it is a node, settled (hol_list_settle) → whether it is a table now. */
bool hol_node_open(lua_State *L);

/* The type for a child of that field (NULL: unknown) whose data is the table on top. */
const hol_type *hol_type_of(lua_State *L, const ho_field *field);

/* Whether an unknown field's data table is a list: it has a [1], or is marked as an empty array. */
bool hol_is_array(lua_State *L, int index);

/* Marks the table on top as an array that may be empty. */
void hol_mark_array(lua_State *L);

/* A value as a script gets it, and as walks use it: on 5.4 lua-cjson gives every number as a float; integral ones
 * become integers. */
void hol_integral(lua_State *L);

/* Pushes the child of the data table at `data` under the key on top (popped), as a script gets it: a table becomes a
 * node, once. `field`: the child's place in the schema, or NULL. `part`: index of the hol_part. */
void hol_node_child(lua_State *L, int data, const ho_field *field, int part);

/* Pushes an array of the names in the data table at the index, canonically: the object's fields (NULL: none), then the others sorted. */
void hol_names(lua_State *L, const ho_object *object, int data);

/* How many members the table at the index has. */
size_t hol_count(lua_State *L, int index);

/* Replaces an object before and after its edit, the two tables on top, by what of them differs, plain: most fields of most
 * objects do not. (l_change.c) */
void hol_keep_differing(lua_State *L);

/* Replaces the values before of an object's fields (hol_member_fields) and its data, the two tables on top, alike. (l_change.c) */
void hol_keep_differing_fields(lua_State *L);

/* Pushes a deep copy of the value at the index as plain tables: nodes opened, numbers as integers where they are. Raises where
 * it is nested too deep, which only tampering makes it. */
void hol_plain(lua_State *L, int index);

/* Pushes the path of the data table at the index within its part, found by looking: `custom_guidelines[2]`. `depth`, if not
 * NULL: how deep it lies, 2 for a part. */
const char *hol_node_path(lua_State *L, const hol_part *part, int part_index, int data, int *depth);

/* Notes that a node's part, or member i, is about to be edited: the first time its value, if it was touched, is kept as it was. Every
 * edit passes here before anything is changed; raises where the document is sealed. Pushes nothing. */
hol_part *hol_node_edit(lua_State *L, int node);

/* The same where the node's field, whose name is at `key`, is about to be set, and its value is at `old`; `part` is that of the node.
 * Of an object that is a part itself only the field is kept. */
void hol_field_edit(lua_State *L, int node, int part, int key, int old);

/* Pushes what is kept of member i field by field: the values before, by name (hol_is_absent: it had none). False, and nothing is pushed,
 * where it is kept otherwise. */
bool hol_member_fields(lua_State *L, const hol_doc *doc, int values, size_t i);
bool hol_is_absent(lua_State *L, int index);

/* Keeps it whole from now on. */
void hol_member_keep_whole(lua_State *L, const hol_doc *doc, int values, size_t i);
void hol_member_edit(lua_State *L, hol_doc *doc, int values, size_t i);

/* Member i was edited. Comes last: where memory fails an edit before, the member's text still goes back byte for byte. */
void hol_member_edited(hol_doc *doc, size_t i);

/* Makes the types and their metatables; called once when the module opens. */
void hol_types_open(lua_State *L);

/* --- a script's values taken in (l_take.c) ------------------------------------------------------------------------ */

/* Where a value goes. */
typedef struct hol_target {
    const hol_part *part;
    const char *path;
    int depth; /* of what it goes into: 1 for the document */
    int model; /* index of the data of the list it goes to, whose items' unknown fields are allowed; 0: none */
    size_t first,
        last; /* ids, and choices that the schema lacks, may be those of the model's items from first to last; 0: none */
} hol_target;

/* Pushes the value at the index as plain data, by value, checked against the field (NULL: any JSON value). Raises where
 * a rule is broken; nothing is changed then. An object of the same document and place in the schema is taken as it is, with its
 * id and whatever the service sent; one of another document loses its id and what is read-only. */
void hol_take(lua_State *L, int index, const ho_field *field, const hol_target *target);

/* The items without id of the list data on top that are the same as ones of the list data at `old`, by name or, where items have none,
 * by content, become what those were in all that a script does not give: their id, and fields that only the service understands. */
void hol_adopt_all(lua_State *L, int old, const ho_field *item);

/* The same for the item's data on top and the one item at `old`. */
void hol_adopt(lua_State *L, int old, const ho_object *object);

/* Raises: no such field; did you mean. The key is at the index. */
int hol_unknown_field(lua_State *L, const char *path, const ho_object *object, int key);

/* Whether the value is an integer, of the VM's or with more digits than it holds. */
bool hol_is_integer(lua_State *L, int index);
bool hol_is_null(lua_State *L, int index);

/* Holds the string at the index against the field, see ho_check_string. Of a zone the system is asked once. */
ho_code hol_check_string(lua_State *L, int index, const ho_field *field, ho_problem *problem);

/* Raises that the value at the index breaks a rule of the field, if it does. */
void hol_check_scalar(lua_State *L, int index, const ho_field *field, const char *path);

/* --- lists (l_list.c) --------------------------------------------------------------------------------------------- */
extern const luaL_Reg hol_list_meta[], hol_list_methods[], hol_object_meta[];

/* Drops the id of the item's data on top, if its kind has one. */
void hol_drop_id(lua_State *L, const ho_object *object);

/* Ends what an assignment of a list's own item to another of its places left open: the item then stands in two, and one
 * becomes a copy. */
void hol_list_settle(lua_State *L, int node);

/* --- numbers that the VM cannot hold (l_number.c) ----------------------------------------------------------------- */

/* Pushes the number written at `text` (valid JSON): an integer or float where it holds the value, otherwise a userdata
 * that keeps the digits, prints as them and is written as them. */
void hol_number_push(lua_State *L, ho_text text);

/* Makes their class; called once when the module opens. */
void hol_number_open(lua_State *L);

/* The digits of such a userdata, or at = NULL. */
ho_text hol_number_text(lua_State *L, int index);

/* Writes a finite double or an integer of Lua as JSON has it → the length; `out` has HOL_NUMBER_SIZE bytes. The same
 * value is the same text on every VM. */
enum { HOL_NUMBER_SIZE = 40 };
size_t hol_number_format(lua_State *L, int index, char *out);

/* --- text to values (l_json.c) ------------------------------------------------------------------------------------ */

/* Pushes what lua-cjson makes of the value's text, with what it loses restored. The text is valid. `integers`: see hol_integral;
 * otherwise that is left to whoever reads a number. */
void hol_decode(lua_State *L, const char *text, size_t len, size_t marks, bool integers);

/* Scans; on failure pushes nil and a `protocol` error with line and column and returns 2, otherwise 0. `what` names the
 * text. */
int hol_scan(lua_State *L, const char *text, size_t len, ho_scan *scan, const char *what);

/* --- values to text (l_write.c) ----------------------------------------------------------------------------------- */

/* Where a value lies, as a chain on the C stack: costs nothing until a message needs the path. */
typedef struct hol_place {
    const struct hol_place *up;
    const char *name; /* of a member; the outermost: the begin of the path */
    size_t index;     /* of an element, from 1; then the name is ""; 0: it is a member */
    int depth;
} hol_place;

/* Pushes the path: `routing_profiles[2].user_ids[1]` → it. */
const char *hol_place_path(lua_State *L, const hol_place *place);

/* Pushes a userdata with the names of the data table at the index that are not the object's (NULL: all), sorted by bytes, and a
 * table that keeps them alive → them; `count` says how many. */
const ho_text *hol_sorted_names(lua_State *L, const ho_object *object, int data, size_t *count);

/* A growing text in a userdata; taken from the references and given back, so that a text costs no allocation as a rule.
 * Nothing that runs Lua code may come between open and push. */
typedef struct hol_buffer {
    lua_State *L;
    int slot; /* of the stack: the userdata */
    char *data;
    size_t len, room;
} hol_buffer;
void hol_buffer_open(lua_State *L, hol_buffer *b);
char *hol_buffer_need(hol_buffer *b, size_t len);
void hol_buffer_add(hol_buffer *b, const char *text, size_t len);
void hol_buffer_push(hol_buffer *b); /* replaces the userdata by the text as a string; must be on top */

/* How to write: `indent` spaces a level, 0: all on one line. */
typedef struct hol_writer {
    hol_buffer out;
    int indent;
    bool plain; /* a script's own tables: an empty one where the schema has a list is a list */
} hol_writer;

/* Writes the value at the index, canonically: known fields in the schema's order, then the others sorted. `field` is
 * its place in the schema or NULL. Raises, with the path, where a value has no place in JSON. `path` begins every path.
 */
void hol_write(hol_writer *w, int index, const ho_field *field, const char *path);

/* Reads the options at the index, nil or {indent=0…16}. */
int hol_indent_option(lua_State *L, int options, const char *what);

#endif
