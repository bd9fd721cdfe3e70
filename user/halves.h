/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which half of the policy maps counts, and how that changes. For publish.c;
 * what others may do with it is in store.h.
 */
#ifndef EDGE426_HALVES_H
#define EDGE426_HALVES_H

#include "store.h"

/* -EBUSY, with a sentence that says what to do, while a change waits to be confirmed. */
int halves_check_waiting(const struct store *store, struct failure *failure);

/* Takes the change that waits back, if there is one. Returns true when there was. */
bool halves_go_back(struct store *store);

/*
 * Makes the half that does not count the one that does, with `services`
 * services and as the next generation; for good when `confirm_seconds` is 0.
 * Waits until no packet program reads the other half.
 */
void halves_flip(struct store *store, size_t services, unsigned int confirm_seconds);

#endif
