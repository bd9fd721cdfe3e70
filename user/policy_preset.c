/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths that have to be reachable by plain HTTP, under the name of what needs them. */
#include "policy.h"

#include <string.h>

#define PATHS_MAX 4

static const struct {
	const char *name;
	const char *paths[PATHS_MAX]; /* the last is NULL */
} presets[] = {
	{"acme", {"/.well-known/acme-challenge/"}},	  /* RFC 8555 8.3 */
	{"crl-ocsp", {"/crl", "/ocsp", "/CertEnroll/"}},  /* the last: Microsoft AD CS */
	{"k8s-probe", {"/healthz", "/livez", "/readyz"}}, /* Kubernetes API health endpoints */
};

const char *const *policy_find_preset(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		if (!strcmp(presets[i].name, name))
			return presets[i].paths;
	return NULL;
}
