/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads the objects that are built into the binary as skeletons. */
#include "program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <edge426/abi.h>
#include <errno.h>
#include <string.h>

#include "edge_tc.skel.h"
#include "edge_xdp.skel.h"
#include "pins.h"
#include "store.h"

static int tell_load(const char *program, int err, struct failure *failure)
{
	if (err == ENOMEM || err == E2BIG)
		return failure_set(failure, err, "Can't load program %s: %s", program,
				   strerror(err));
	return failure_set(failure, err,
			   "Can't load program %s: the kernel refused it: %s; "
			   "--verbose shows its reason",
			   program, strerror(err));
}

/* Maps by name: whatever of the object is in the store is shared with it. */
static int share_maps(struct bpf_object *object, const struct store *store)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		int row = layout_find(bpf_map__name(map));
		int err = row < 0 ? 0 : bpf_map__reuse_fd(map, store->fd[row]);

		if (err)
			return err;
	}
	return 0;
}

static int pin_maps(const struct bpf_object *object, const char *dir, struct failure *failure)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		char path[PINS_PATH_LEN];

		if (layout_find(bpf_map__name(map)) < 0)
			continue;
		pins_path(dir, bpf_map__name(map), path);
		if (bpf_obj_pin(bpf_map__fd(map), path)) {
			int err = errno;

			return failure_set(failure, err, "Can't pin '%s': %s", path, strerror(err));
		}
	}
	return 0;
}

static int pin_program(const char *dir, const char *name, int fd, struct failure *failure)
{
	int err = pins_replace_program(dir, name, fd);

	return err ? failure_set(failure, -err, "Can't pin '%s/%s': %s", dir, name, strerror(-err))
		   : 0;
}

int programs_load_xdp(struct programs *programs, const char *dir, const struct store *store,
		      struct failure *failure)
{
	int err;

	programs->xdp = edge_xdp__open();
	if (!programs->xdp)
		return tell_load(EDGE426_PROG_XDP, errno, failure);
	err = store ? share_maps(programs->xdp->obj, store) : 0;
	if (!err)
		err = edge_xdp__load(programs->xdp);
	if (err)
		return tell_load(EDGE426_PROG_XDP, -err, failure);
	if (!store)
		err = pin_maps(programs->xdp->obj, dir, failure);
	return err ? err : pin_program(dir, EDGE426_PROG_XDP, programs_xdp_fd(programs), failure);
}

int programs_load_tc(struct programs *programs, const char *dir, const struct store *store,
		     struct failure *failure)
{
	int err;

	programs->tc = edge_tc__open();
	if (!programs->tc)
		return tell_load(EDGE426_PROG_TC, errno, failure);
	err = share_maps(programs->tc->obj, store);
	if (!err)
		err = edge_tc__load(programs->tc);
	if (err)
		return tell_load(EDGE426_PROG_TC, -err, failure);
	return pin_program(dir, EDGE426_PROG_TC, programs_tc_fd(programs), failure);
}

int programs_xdp_fd(const struct programs *programs)
{
	return bpf_program__fd(programs->xdp->progs.edge426_xdp);
}

int programs_tc_fd(const struct programs *programs)
{
	return bpf_program__fd(programs->tc->progs.edge426_tc);
}

void programs_close(struct programs *programs)
{
	edge_tc__destroy(programs->tc);
	edge_xdp__destroy(programs->xdp);
	*programs = (struct programs){0};
}
