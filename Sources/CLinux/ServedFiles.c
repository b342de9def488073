#define _GNU_SOURCE
#include "CLinuxServedFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// A device or a pipe must not make the loop wait, and no terminal may become ours.
enum { READING = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, RETRIES = 4 };

int mooring_open_folder(const char *path) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    if (faccessat(fd, ".", X_OK, AT_EACCESS) == 0) return fd;
    int failed = -errno;
    close(fd);
    return failed;
}

static int look_at(int fd, struct mooring_served *facts) {
    struct stat status;
    if (fstat(fd, &status) < 0) {
        int failed = -errno;
        close(fd);
        return failed;
    }
    facts->kind = S_ISREG(status.st_mode)   ? MOORING_FILE
                  : S_ISDIR(status.st_mode) ? MOORING_FOLDER
                                            : MOORING_OTHER;
    facts->size = status.st_size;
    facts->modified_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    facts->inode = status.st_ino;
    return fd;
}

int mooring_open_below(int folder, const char *name, struct mooring_served *facts) {
    struct open_how how = {
        .flags = READING,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    // EAGAIN: something was renamed meanwhile, so that the kernel cannot tell whether it stayed below.
    for (int attempt = 0; attempt < RETRIES; attempt++) {
        long fd = syscall(SYS_openat2, folder, name, &how, sizeof how);
        if (fd >= 0) return look_at((int)fd, facts);
        if (errno != EAGAIN && errno != EINTR) break;
    }
    // Some sandboxes refuse system calls that they do not know with EPERM.
    if (errno == ENOSYS || errno == EPERM) return mooring_open_below_by_steps(folder, name, facts);
    return -errno;
}

// Takes the first component off a name; an empty one at its end.
static int next(const char **name, char component[NAME_MAX + 1]) {
    const char *start = *name + strspn(*name, "/");
    size_t length = strcspn(start, "/");
    if (length > NAME_MAX) return -ENAMETOOLONG;
    memcpy(component, start, length);
    component[length] = 0;
    *name = start + length;
    return strcmp(component, "..") == 0 ? -EXDEV : 0;
}

int mooring_open_below_by_steps(int folder, const char *name, struct mooring_served *facts) {
    char component[NAME_MAX + 1];
    int directory = folder;
    int result;
    while (1) {
        result = next(&name, component);
        if (result < 0) break;
        if (name[strspn(name, "/")] == 0) {
            result = openat(directory, component[0] ? component : ".", READING | O_NOFOLLOW);
            result = result < 0 ? -errno : look_at(result, facts);
            break;
        }
        int below = openat(directory, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        result = below < 0 ? -errno : 0;
        if (below < 0) break;
        if (directory != folder) close(directory);
        directory = below;
    }
    if (directory != folder) close(directory);
    return result;
}

long mooring_read_at(int file, void *buffer, size_t count, int64_t position) {
    ssize_t got;
    do {
        got = pread(file, buffer, count, position);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

long mooring_send_file(int socket, int file, int64_t position, size_t count) {
    off_t offset = position;
    ssize_t sent;
    do {
        sent = sendfile(socket, file, &offset, count);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}
