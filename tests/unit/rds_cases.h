/* SPDX-License-Identifier: MIT */
/*
 * RDS tokens with known results, from the tests of botocore, the AWS CLI, the Java, Rust and JavaScript SDKs
 * and CPAN's Signer-AWSv4; the text of each token is the one that botocore makes. And host names of
 * databases, from the tests of the AWS driver (aws-advanced-jdbc-wrapper, Apache-2.0), with some of our own.
 */
#include <aws/rds_host.h>

static const struct token_case {
    const char *name, *id, *secret, *session, *host;
    unsigned port;
    const char *user, *region;
    long long now;
    const char *token;
} token_cases[] = {
    {"botocore", "akid", "skid", NULL, "prod-instance.us-east-1.rds.amazonaws.com", 3306, "someusername",
     "us-east-1", 1478540373LL,
     "prod-instance.us-east-1.rds.amazonaws.com:3306/"
     "?Action=connect&DBUser=someusername&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=akid%2F20161107%"
     "2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Date=20161107T173933Z&X-Amz-Expires=900&X-Amz-SignedHeaders="
     "host&X-Amz-Signature=d1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61"},
    {"java-v2-and-aws-cli", "access_key", "secret_key", NULL, "host.us-east-1.amazonaws.com", 3306,
     "mySQLUser", "us-east-1", 1478540373LL,
     "host.us-east-1.amazonaws.com:3306/"
     "?Action=connect&DBUser=mySQLUser&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=access_key%"
     "2F20161107%2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Date=20161107T173933Z&X-Amz-Expires=900&X-Amz-"
     "SignedHeaders=host&X-Amz-Signature=87ab58107ef49f1c311a412f98b7f976b0b5152ffb559f0d36c6c9a0c5e0e362"},
    {"smithy-rs", "akid", "secret", NULL, "prod-instance.us-east-1.rds.amazonaws.com", 3306, "peccy",
     "us-east-1", 1724709600LL,
     "prod-instance.us-east-1.rds.amazonaws.com:3306/"
     "?Action=connect&DBUser=peccy&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=akid%2F20240826%2Fus-"
     "east-1%2Frds-db%2Faws4_request&X-Amz-Date=20240826T220000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&"
     "X-Amz-Signature=dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89"},
    {"cpan-region-differs-from-host", "AKIAKIAKIAKIAKIAKIAK", "1111111111111111111111111111111111111111",
     NULL, "mydb.c1fycpveg7nf.us-west-2.rds.amazonaws.com", 3306, "mysqluser", "eu-west-1", 1532290956LL,
     "mydb.c1fycpveg7nf.us-west-2.rds.amazonaws.com:3306/"
     "?Action=connect&DBUser=mysqluser&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
     "AKIAKIAKIAKIAKIAKIAK%2F20180722%2Feu-west-1%2Frds-db%2Faws4_request&X-Amz-Date=20180722T202236Z&X-Amz-"
     "Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature="
     "b77c366f1379046852039d21f733035fa73696275c03dd2908ef267c3049d831"},
    {"js-v2-epoch", "akid", "secret", NULL, "db.us-east-1.amazonaws.com", 8000, "test", "us-east-1", 0LL,
     "db.us-east-1.amazonaws.com:8000/"
     "?Action=connect&DBUser=test&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=akid%2F19700101%2Fus-"
     "east-1%2Frds-db%2Faws4_request&X-Amz-Date=19700101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&"
     "X-Amz-Signature=6f2b4daa29668c1c264d7af7927d9d2a706768e35d92d76b461aedbaca14b6ad"},
    {"carepay-cluster-ap-southeast-1", "IAMXXXXXXXXXX", "PollyWantsACookie", NULL,
     "mysql-host-db.cluster-xxxxxxxxxx.ap-southeast-1.rds.amazonaws.com", 3306, "anotheruser",
     "ap-southeast-1", 1537372962LL,
     "mysql-host-db.cluster-xxxxxxxxxx.ap-southeast-1.rds.amazonaws.com:3306/"
     "?Action=connect&DBUser=anotheruser&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=IAMXXXXXXXXXX%"
     "2F20180919%2Fap-southeast-1%2Frds-db%2Faws4_request&X-Amz-Date=20180919T160242Z&X-Amz-Expires=900&X-"
     "Amz-SignedHeaders=host&X-Amz-Signature="
     "58ee4aed2efba3cc2aaa43abdb319a884a2c42c8bc034ba1806ab87f78689974"},
    {"session-token-with-reserved-bytes", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
     "IQoJb3JpZ2luX2VjEEXAMPLE+a/b==", "shop.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com", 3306, "app",
     "eu-central-1", 1772366400LL,
     "shop.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com:3306/"
     "?Action=connect&DBUser=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260301%"
     "2Feu-central-1%2Frds-db%2Faws4_request&X-Amz-Date=20260301T120000Z&X-Amz-Expires=900&X-Amz-"
     "SignedHeaders=host&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEEXAMPLE%2Ba%2Fb%3D%3D&X-Amz-Signature="
     "9568a275afde8097b18c528d33ec2f4728c8c776d6de741440ec322df592891a"},
    {"user-with-space-and-at", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL,
     "shop.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com", 3306, "app user@corp", "eu-central-1", 1772366400LL,
     "shop.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com:3306/"
     "?Action=connect&DBUser=app%20user%40corp&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%"
     "2F20260301%2Feu-central-1%2Frds-db%2Faws4_request&X-Amz-Date=20260301T120000Z&X-Amz-Expires=900&X-Amz-"
     "SignedHeaders=host&X-Amz-Signature=c5f4c4a7dff238863140ff9bc47c0f9c548525ff8e7f647688a6965da4f248b7"},
    /* our own cases; the tokens were made by botocore 1.43.11 */
    {"port 443 is not signed", "AKIDEXAMPLE", "s/+=", NULL, "Db.C9akciq32.eu-west-1.RDS.amazonaws.com", 443,
     "app", "eu-west-1", 1709251199LL,
     "Db.C9akciq32.eu-west-1.RDS.amazonaws.com:443/"
     "?Action=connect&DBUser=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20240229%"
     "2Feu-west-1%2Frds-db%2Faws4_request&X-Amz-Date=20240229T235959Z&X-Amz-Expires=900&X-Amz-SignedHeaders="
     "host&X-Amz-Signature=10a12e749d31222085d59ed50ceb2946ea55823aa3880429e7787e63bfd6dd43"},
    {"port 80 is signed", "AKIDEXAMPLE", "s/+=", NULL, "db.c9akciq32.eu-west-1.rds.amazonaws.com", 80, "app",
     "eu-west-1", 1709251199LL,
     "db.c9akciq32.eu-west-1.rds.amazonaws.com:80/"
     "?Action=connect&DBUser=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20240229%"
     "2Feu-west-1%2Frds-db%2Faws4_request&X-Amz-Date=20240229T235959Z&X-Amz-Expires=900&X-Amz-SignedHeaders="
     "host&X-Amz-Signature=58ab02fd6e2c48efc5f3fb750d366271211275739ce4883155ccbbd0de30eb13"},
    {"a final dot", "AKIDEXAMPLE", "s/+=", "t/+=", "db.c9akciq32.rds.cn-north-1.amazonaws.com.cn.", 3306,
     "a+b c%/\\\"", "cn-north-1", 1709251199LL,
     "db.c9akciq32.rds.cn-north-1.amazonaws.com.cn.:3306/"
     "?Action=connect&DBUser=a%2Bb%20c%25%2F%5C%22&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
     "AKIDEXAMPLE%2F20240229%2Fcn-north-1%2Frds-db%2Faws4_request&X-Amz-Date=20240229T235959Z&X-Amz-Expires="
     "900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=t%2F%2B%3D&X-Amz-Signature="
     "b809209b8c97b0f25cdb61516f6eba53d39042d7afe68518482af66812e8d29d"},
};

static const struct host_case {
    const char *host;
    enum rds_kind kind;
    const char *region;
} host_cases[] = {
    {"database-test-name.cluster-XYZ.us-east-2.rds.amazonaws.com", RDS_CLUSTER, "us-east-2"},
    {"database-test-name.cluster-XYZ.us-east-2.rds.amazonaws.com.", RDS_CLUSTER, "us-east-2"},
    {"database-test-name.cluster-ro-XYZ.us-east-2.rds.amazonaws.com", RDS_CLUSTER_RO, "us-east-2"},
    {"custom-test-name.cluster-custom-XYZ.us-east-2.rds.amazonaws.com", RDS_CLUSTER_CUSTOM, "us-east-2"},
    {"instance-test-name.XYZ.us-east-2.rds.amazonaws.com", RDS_INSTANCE, "us-east-2"},
    {"proxy-test-name.proxy-XYZ.us-east-2.rds.amazonaws.com", RDS_PROXY, "us-east-2"},
    {"endpoint-test-name.endpoint.proxy-XYZ.us-east-2.rds.amazonaws.com", RDS_PROXY_ENDPOINT, "us-east-2"},
    {"database-test-name.shardgrp-XYZ.us-east-2.rds.amazonaws.com", RDS_SHARD_GROUP, "us-east-2"},
    {"database-test-name.cluster-XYZ.rds.cn-northwest-1.amazonaws.com.cn", RDS_CLUSTER, "cn-northwest-1"},
    {"instance-test-name.XYZ.rds.cn-northwest-1.amazonaws.com.cn", RDS_INSTANCE, "cn-northwest-1"},
    {"instance-test-name.XYZ.cn-northwest-1.rds.amazonaws.com.cn", RDS_INSTANCE, "cn-northwest-1"},
    {"database-test-name.cluster-XYZ.rds.us-gov-east-1.amazonaws.com", RDS_CLUSTER, "us-gov-east-1"},
    {"instance-test-name.XYZ.rds.us-iso-east-1.c2s.ic.gov", RDS_INSTANCE, "us-iso-east-1"},
    {"proxy-test-name.proxy-XYZ.rds.us-isob-east-1.sc2s.sgov.gov", RDS_PROXY, "us-isob-east-1"},
    {"redshift-test-name.XYZ.eusc-de-east-1.rds.amazonaws.eu", RDS_INSTANCE, "eusc-de-east-1"},
    {"global-cluster-test-name.global-XYZ.global.rds.amazonaws.com", RDS_GLOBAL_WRITER, ""},
    {"database-test-name.cluster-XYZ.rds.amazonaws.com.cn", RDS_OTHER, ""},
    {"elb-name.elb.us-east-2.amazonaws.com", RDS_OTHER, ""},
    {"prod-instance.us-east-1.rds.amazonaws.com", RDS_INSTANCE, "us-east-1"},
    {"db.internal.example.com", RDS_OTHER, ""},
    {"127.0.0.1", RDS_OTHER, ""},
    {"abcdefghijklmnopqrstuvwxyz.dsql.us-east-1.on.aws", RDS_DSQL, "us-east-1"},
    /* our own cases */
    {"MyDB.C9AKCIQ32.EU-West-1.RDS.AmazonAWS.com", RDS_INSTANCE, "eu-west-1"},
    {"a.b.us-east-1.rds-fips.amazonaws.com", RDS_INSTANCE, "us-east-1"},
    {"a-green-abc123.c9akciq32.eu-west-1.rds.amazonaws.com", RDS_INSTANCE, "eu-west-1"},
    {"cluster-x.c9akciq32.eu-west-1.rds.amazonaws.com", RDS_INSTANCE, "eu-west-1"},
    {"proxy-x.c9akciq32.eu-west-1.rds.amazonaws.com", RDS_INSTANCE, "eu-west-1"},
    {"us-east-1.c9akciq32.eu-west-1.rds.amazonaws.com", RDS_INSTANCE, "eu-west-1"},
    {"x.abc.us-isof-south-1.rds.csp.hci.ic.gov", RDS_INSTANCE, "us-isof-south-1"},
    {"x.abc.eu-isoe-west-1.rds.cloud.adc-e.uk", RDS_INSTANCE, "eu-isoe-west-1"},
    {"x.abc.us-gov-west-1.rds.amazonaws.com", RDS_INSTANCE, "us-gov-west-1"},
    {"x.abc.us-east-1.rds.amazonaws.com.evil.example", RDS_OTHER, ""},
    {"x.abc.us-east-1.rds.evilamazonaws.com", RDS_OTHER, ""},
    {"x.abc.us-east-1.rds-amazonaws.com", RDS_OTHER, ""},
    {"us-east-1.rds.amazonaws.com", RDS_OTHER, ""},
    {"rds.us-east-1.amazonaws.com", RDS_OTHER, ""},
    {"vpce-1-a.rds.us-east-1.vpce.amazonaws.com", RDS_OTHER, ""},
    {"x.rds.cn-northwest-1.rds.amazonaws.com.cn", RDS_OTHER, ""},
    {".rds.cn-northwest-1.rds.amazonaws.com.cn", RDS_OTHER, ""},
    {"x..us-east-1.rds.amazonaws.com", RDS_OTHER, ""},
    {"x.abc.us-east-x.rds.amazonaws.com", RDS_OTHER, ""},
    {"x.abc.global.rds.amazonaws.com", RDS_OTHER, ""},
    {"a.b.c.d.us-east-1.rds.amazonaws.com", RDS_OTHER, ""},
    {"x.abc.us-east-1.rds.amazonaws.com..", RDS_OTHER, ""},
    {"localhost", RDS_OTHER, ""},
    {"", RDS_OTHER, ""},
    {".", RDS_OTHER, ""},
};
