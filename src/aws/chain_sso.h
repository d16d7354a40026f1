/* SPDX-License-Identifier: MIT */
/* A profile's SSO settings, as a step of a chain. */
#ifndef AWS_CHAIN_SSO_H
#define AWS_CHAIN_SSO_H

#include <aws/chain.h>

#include "chain_profile.h"

/* 1: *step is filled, 0: no SSO role, -1: ERR_CONFIG. */
int chain_sso_read(const struct scope *s, struct aws_step *step, struct err *e);
/* For a profile without other credentials: an SSO login without a role gives no keys (the AWS CLI would then
 * try the machine's own). 0: there is no SSO login either. */
int chain_sso_refuse_half(const struct scope *s, struct err *e);

#endif
