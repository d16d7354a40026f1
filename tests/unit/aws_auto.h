/* SPDX-License-Identifier: MIT */
/* Declares AWS structs that are released at the end of the scope; only tests and fuzzers need that. */
#ifndef AWS_AUTO_H
#define AWS_AUTO_H

#include <aws/chain.h>
#include <aws/files.h>

#define AUTO_AWS_CHAIN(name) __attribute__((cleanup(aws_chain_release))) struct aws_chain name = {0}
#define AUTO_AWS_FILES(name)                                                                                 \
    __attribute__((cleanup(aws_files_release))) struct aws_files name = {                                    \
        .text = {BUF_INIT(AWS_FILE_MOST), BUF_INIT(AWS_FILE_MOST)}}

#endif
