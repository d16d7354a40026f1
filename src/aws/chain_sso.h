/* What a profile says about SSO, as a step of a chain. */
#ifndef AWS_CHAIN_SSO_H
#define AWS_CHAIN_SSO_H

#include <aws/chain.h>

#include "chain_profile.h"

/* 1: *step is filled, 0: nothing about a role of SSO, -1: ERR_CONFIG. */
int chain_sso_read(const struct scope *s, struct aws_step *step, struct err *e);
/* For a profile without other credentials: a log-in without a role gives no keys, though the AWS CLI then
 * looks whether the machine has some. 0: there is no log-in either. */
int chain_sso_refuse_half(const struct scope *s, struct err *e);

#endif
