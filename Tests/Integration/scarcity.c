// Loaded before the C library: a machine that runs out of things, or whose clock is set, when the test
// says so. The test writes the numbers into the file that SCARCITY names, of struct scarcity's form.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct scarcity {
    int64_t clock_offset;  // seconds, added to the wall clock
    int64_t clone_errno;   // of every start of a process; 0: none
    int64_t write_errno;   // of every write to a file but the standard three
    int64_t socket_errno;  // of every socket for a connection to a process
};

static const struct scarcity nothing;
static const volatile struct scarcity *now = &nothing;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SCARCITY");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof *now, PROT_READ, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) now = page;
    close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME) time->tv_sec += now->clock_offset;
    return result;
}

int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...) {
    static int (*real)(int (*)(void *), void *, int, void *, ...);
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, "__clone");
    va_list rest;
    va_start(rest, argument);
    void *pidfd = va_arg(rest, void *);
    va_end(rest);
    if (now->clone_errno) {
        errno = (int)now->clone_errno;
        return -1;
    }
    return real(run, stack, flags, argument, pidfd);
}

// No cgroups, so that every process is started by the call above and none by a bare clone3(2).
int mkdir(const char *path, mode_t mode) {
    if (strncmp(path, "/sys/fs/cgroup", 14) == 0) {
        errno = EROFS;
        return -1;
    }
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    struct stat status;
    if (now->write_errno && fd > 2 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        errno = (int)now->write_errno;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, count);
}

int socket(int domain, int type, int protocol) {
    if (now->socket_errno && type & SOCK_NONBLOCK) {
        errno = (int)now->socket_errno;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}
