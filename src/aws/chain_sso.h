/* SPDX-License-Identifier: MIT */
/* The SSO settings of a profile, as a step of the chain. */
#ifndef AWS_CHAIN_SSO_H
#define AWS_CHAIN_SSO_H

#include <aws/chain.h>

#include "chain_profile.h"

/* Returns 1 and fills *step, 0 if the profile has no SSO role, -1 with ERR_CONFIG. */
int chain_sso_read(const struct scope *s, struct aws_step *step, struct err *e);
/* For a profile without other credentials: fails if it has an SSO login but no account and role, which gives
 * no keys (the AWS CLI would use those of the machine). Returns 0 if it has no SSO login either. */
int chain_sso_refuse_half(const struct scope *s, struct err *e);

#endif
