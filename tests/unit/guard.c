/* SPDX-License-Identifier: GPL-2.0-only */
/* One page, and after it one that cannot be read. */
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static unsigned char *guard_page(void)
{
	static unsigned char *page;

	if (page)
		return page;
	page = mmap(NULL, 2 * GUARD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (page == MAP_FAILED || mprotect(page + GUARD_SIZE, GUARD_SIZE, PROT_NONE)) {
		perror("guard page");
		exit(1);
	}
	return page;
}

unsigned char *guard_copy(const void *data, size_t len)
{
	unsigned char *page = guard_page();

	if (len > GUARD_SIZE)
		abort();
	memset(page, 0xa5, GUARD_SIZE);
	return memcpy(page + GUARD_SIZE - len, data, len);
}
