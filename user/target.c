/* SPDX-License-Identifier: GPL-2.0-only */
/* Options to pairs of interface and pin directory. */
#include "target.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* bpffs allows no dot in a name, interfaces (eth0.7) do: it becomes a comma there. */
static void swap_char(char *text, char from, char to)
{
	for (; *text; text++)
		if (*text == from)
			*text = to;
}

static int check_interface(const char *name, struct failure *failure)
{
	if (*name && strlen(name) < IF_NAMESIZE && !strchr(name, '/'))
		return 0;
	return failure_set(failure, ENODEV, "Can't find interface '%s': no such name is possible",
			   name);
}

/* Room for one more; list is zeroed behind its end. */
static struct target *add_target(struct targets *targets)
{
	struct target *list = realloc(targets->list, (targets->len + 1) * sizeof(*targets->list));

	if (!list)
		return NULL;
	targets->list = list;
	list[targets->len] = (struct target){0};
	return &list[targets->len++];
}

/* `base`/NAME, or `base` itself without a name. */
static int set_dir(struct target *target, const char *base, const char *name,
		   struct failure *failure)
{
	char escaped[IF_NAMESIZE] = "";
	int len;

	if (name) {
		snprintf(escaped, sizeof(escaped), "%s", name);
		swap_char(escaped, '.', ',');
	}
	len = snprintf(target->dir, sizeof(target->dir), "%s%s%s", base, name ? "/" : "", escaped);
	if (len < (int)sizeof(target->dir))
		return 0;
	return failure_set(failure, ENAMETOOLONG, "Can't pin in '%s': the name is too long", base);
}

static int add_interface(struct targets *targets, const char *name, struct failure *failure)
{
	const char *base = targets->pin_dir ? targets->pin_dir : PINS_ROOT;
	struct target *target;
	int err = check_interface(name, failure);

	if (err)
		return err;
	target = add_target(targets);
	if (!target)
		return failure_set(failure, ENOMEM, "Can't list interfaces: out of memory");
	snprintf(target->interface, sizeof(target->interface), "%s", name);
	err = set_dir(target, base, name, failure);
	if (err || !targets->pin_dir || targets->interfaces_len > 1 || pins_hold_maps(target->dir))
		return err;
	return set_dir(target, base, NULL, failure);
}

static int add_directory(struct targets *targets, struct failure *failure)
{
	struct target *target = add_target(targets);

	if (!target)
		return failure_set(failure, ENOMEM, "Can't list interfaces: out of memory");
	return set_dir(target, targets->pin_dir, NULL, failure);
}

/* Below PINS_ROOT the name is the interface's; other people's directories may have any. */
static int add_usual(struct targets *targets, const char *name, struct failure *failure)
{
	char interface[IF_NAMESIZE];
	struct target *target;

	if (name[0] == '.' || strlen(name) >= sizeof(interface))
		return 0;
	target = add_target(targets);
	if (!target)
		return failure_set(failure, ENOMEM, "Can't list interfaces: out of memory");
	snprintf(target->interface, sizeof(target->interface), "%s", name);
	swap_char(target->interface, ',', '.');
	return set_dir(target, PINS_ROOT, name, failure);
}

/* Below --pin-dir only the maps tell which interface it is. */
static int add_below(struct targets *targets, const char *name, struct failure *failure)
{
	struct target below = {0};
	struct target *target;
	int len = snprintf(below.dir, sizeof(below.dir), "%s/%s", targets->pin_dir, name);

	if (name[0] == '.' || len >= (int)sizeof(below.dir) || !pins_hold_maps(below.dir))
		return 0;
	target = add_target(targets);
	if (!target)
		return failure_set(failure, ENOMEM, "Can't list interfaces: out of memory");
	*target = below;
	return 0;
}

typedef int add_fn(struct targets *targets, const char *name, struct failure *failure);

/* A directory that is not there holds nothing. */
static int add_entries(struct targets *targets, const char *dir, add_fn *add,
		       struct failure *failure)
{
	struct dirent **entries;
	int len = scandir(dir, &entries, NULL, alphasort), err = 0;

	if (len < 0 && errno == ENOENT)
		return 0;
	if (len < 0)
		return failure_set(failure, errno, "Can't list '%s': %s", dir, strerror(errno));
	for (int i = 0; i < len; i++) {
		if (!err)
			err = add(targets, entries[i]->d_name, failure);
		free(entries[i]);
	}
	free(entries);
	return err;
}

/* The directory itself, unless it only has others below it. */
static int add_pin_dir(struct targets *targets, struct failure *failure)
{
	int err = 0;

	if (!pins_hold_maps(targets->pin_dir))
		err = add_entries(targets, targets->pin_dir, add_below, failure);
	return err || targets->len ? err : add_directory(targets, failure);
}

int targets_resolve(struct targets *targets, struct failure *failure)
{
	int err = 0;

	for (size_t i = 0; i < targets->interfaces_len && !err; i++)
		err = add_interface(targets, targets->interfaces[i], failure);
	if (err || targets->interfaces_len)
		return err;
	if (targets->pin_dir)
		return add_pin_dir(targets, failure);
	return add_entries(targets, PINS_ROOT, add_usual, failure);
}

int targets_require(struct targets *targets, struct failure *failure)
{
	int err = targets_resolve(targets, failure);

	if (err || targets->len)
		return err;
	return failure_set(failure, ENOENT,
			   "Can't find a running edge426: nothing is pinned in '%s'; "
			   "--pin-dir tells another place",
			   PINS_ROOT);
}

void target_label(const struct target *target, __u32 ifindex, char label[PINS_DIR_LEN])
{
	const char *slash = strrchr(target->dir, '/');
	char name[IF_NAMESIZE] = "";

	if (target->interface[0])
		snprintf(label, PINS_DIR_LEN, "%s", target->interface);
	else if (ifindex && if_indextoname(ifindex, name))
		snprintf(label, PINS_DIR_LEN, "%s", name);
	else
		snprintf(label, PINS_DIR_LEN, "%s", slash ? slash + 1 : target->dir);
}

void targets_free(struct targets *targets)
{
	free(targets->list);
	*targets = (struct targets){0};
}

static void add_option(struct targets *targets, const char *name, struct argp_state *state)
{
	if (targets->interfaces_len == TARGET_INTERFACES_MAX)
		argp_error(state, "at most %d interfaces", TARGET_INTERFACES_MAX);
	for (size_t i = 0; i < targets->interfaces_len; i++)
		if (!strcmp(targets->interfaces[i], name))
			argp_error(state, "--interface '%s' is given twice", name);
	targets->interfaces[targets->interfaces_len++] = name;
}

static error_t target_parse(int key, char *arg, struct argp_state *state)
{
	struct targets *targets = state->input;

	switch (key) {
	case 'i':
		add_option(targets, arg, state);
		return 0;
	case 'd':
		if (!*arg)
			argp_error(state, "--pin-dir needs the name of a directory");
		targets->pin_dir = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option target_options[] = {
	{"interface", 'i', "IF", 0, "Network interface; may be given several times", 1},
	{"pin-dir", 'd', "DIR", 0,
	 "Directory on a bpffs where the maps are pinned (default " PINS_ROOT "/IF)", 1},
	{0},
};

const struct argp target_argp = {.options = target_options, .parser = target_parse};
