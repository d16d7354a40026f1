/* SPDX-License-Identifier: MIT */
/* The table of partitions, and the check whether a text is a region of one of them. */
#include <aws/partition.h>

#include <ctype.h>
#include <stddef.h>
#include <string.h>

const struct aws_partition aws_partitions[] = {
    {"aws", "amazonaws.com", "api.aws", "us-east-1", "us eu ap sa ca me af il mx"},
    {"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1", "cn"},
    {"aws-us-gov", "amazonaws.com", "api.aws", "us-gov-west-1", "us-gov"},
    {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1", "us-iso"},
    {"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1", "us-isob"},
    {"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "eu-isoe-west-1", "eu-isoe"},
    {"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1", "us-isof"},
    {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1", "eusc-de"},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Returns whether the text is -WORD-DIGITS, where WORD contains no dash. */
static bool is_tail(const char *s)
{
    if (*s++ != '-')
        return false;
    size_t word = 0;
    while (isalnum((unsigned char)s[word]) || s[word] == '_')
        word++;
    if (!word || s[word] != '-')
        return false;
    s += word + 1;
    size_t digits = strspn(s, "0123456789");
    return digits && !s[digits];
}

static bool matches(const struct aws_partition *p, const char *region)
{
    for (const char *s = p->prefixes; *s; s += strspn(s, " ")) {
        size_t n = strcspn(s, " ");
        if (strncmp(region, s, n) == 0 && is_tail(region + n))
            return true;
        s += n;
    }
    return false;
}

static const struct aws_partition *find(const char *region)
{
    for (const struct aws_partition *p = aws_partitions; p->name; p++) {
        if (matches(p, region))
            return p;
    }
    return NULL;
}

const struct aws_partition *aws_partition_of(const char *region)
{
    const struct aws_partition *p = find(region);

    return p ? p : aws_partitions;
}

bool aws_region_is_known(const char *region)
{
    return find(region) != NULL;
}

bool aws_region_is_valid(const char *region)
{
    size_t n = strlen(region);

    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)region[i]) && region[i] != '-')
            return false;
    }
    return n > 0 && n <= 63 && region[0] != '-' && region[n - 1] != '-' && strspn(region, "0123456789") != n;
}
