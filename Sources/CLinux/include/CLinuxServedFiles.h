// Files below a folder that are served to clients: found, read and sent.
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum mooring_kind { MOORING_FILE, MOORING_FOLDER, MOORING_OTHER };

struct mooring_served {
    enum mooring_kind kind;
    int64_t size;
    int64_t modified_ns;
    uint64_t inode;
};

// A folder, to open names below it: a descriptor or -errno. It must be one that may be searched.
int mooring_open_folder(const char *path);

// Opens a name below a folder for reading, and tells what it is: a descriptor or -errno. Links are
// followed as long as they stay below the folder (-EXDEV, -ELOOP). Nothing is waited for, as a pipe
// without a writer.
int mooring_open_below(int folder, const char *name, struct mooring_served *facts);

// The same for a kernel without openat2(2): follows no link at all.
int mooring_open_below_by_steps(int folder, const char *name, struct mooring_served *facts);

// pread(2): bytes or -errno; 0: the end of the file.
long mooring_read_at(int file, void *buffer, size_t count, int64_t position);

// sendfile(2): bytes or -errno; 0: the end of the file.
long mooring_send_file(int socket, int file, int64_t position, size_t count);
