#pragma once
// Names to addresses, over sockets that the caller watches: no part of it waits.
#include <ares.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/// A channel that reports its sockets; ARES_SUCCESS, or what is wrong.
static inline int mooring_ares_open(
    ares_channel *channel, ares_sock_state_cb sockets, void *data, int timeout, int tries)
{
    struct ares_options options;
    memset(&options, 0, sizeof options);
    options.sock_state_cb = sockets;
    options.sock_state_cb_data = data;
    options.timeout = timeout;
    options.tries = tries;
    return ares_init_options(
        channel, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
}

/// Asks for the addresses of a name, IPv4 and IPv6.
static inline void mooring_ares_ask(
    ares_channel channel, const char *name, ares_addrinfo_callback found, void *data)
{
    struct ares_addrinfo_hints hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    // Sorting would connect sockets.
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(channel, name, NULL, &hints, found, data);
}

/// The address of a node as text; 0: it is none that is known.
static inline int mooring_ares_text(const struct ares_addrinfo_node *node, char *text, int size)
{
    const void *address;
    if (node->ai_family == AF_INET)
        address = &((const struct sockaddr_in *)node->ai_addr)->sin_addr;
    else if (node->ai_family == AF_INET6)
        address = &((const struct sockaddr_in6 *)node->ai_addr)->sin6_addr;
    else
        return 0;
    return inet_ntop(node->ai_family, address, text, size) != NULL;
}

/// Milliseconds until the channel has something to do; -1: nothing.
static inline long mooring_ares_wait(ares_channel channel)
{
    struct timeval left;
    if (ares_timeout(channel, NULL, &left) == NULL) return -1;
    return left.tv_sec * 1000 + (left.tv_usec + 999) / 1000;
}
