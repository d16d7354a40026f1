/*
 * AES-128-CTR for a caller that comes with 16 bytes at a time, which is how libssh2 1.10 and 1.11 encrypt:
 * the key stream is made ahead, some KiB at once, by OpenSSL's own AES, and only added here. A quarter of the
 * time of a bulk transfer is saved. It is a provider of OpenSSL (provider(7)) inside this process: no symbol
 * is replaced, and every other cipher stays where it was.
 */
#ifndef KEEPER_KEYSTREAM_H
#define KEEPER_KEYSTREAM_H

/* From now on OpenSSL's default context takes AES-128-CTR from here. Nothing changes where it cannot. */
void keystream_use(void);

#endif
