internal import CLinux
internal import Glibc

/// The named pipes that a process writes its output to.
///
/// A process that may outlive the balancer must not depend on a pipe whose only reader is the
/// balancer: without the reader its next line would kill it (SIGPIPE, EPIPE). So its descriptors 1
/// and 2 are FIFOs of the runtime directory, opened for reading *and* writing (fifo(7)): it is a
/// reader itself, so its writes never fail, and a later balancer opens the same FIFO by name and
/// continues where the last one stopped. Without a reader, 256 KiB of each are buffered; a process
/// that writes more blocks until a balancer comes, which is also the one that would send it
/// requests.
struct OutputFifos: Equatable, Sendable {
    static let outputSuffix = ".out"
    static let errorsSuffix = ".err"

    let output: String
    let errors: String

    init(label: String, in runtimeDirectory: String) {
        output = "\(runtimeDirectory)/\(label)\(Self.outputSuffix)"
        errors = "\(runtimeDirectory)/\(label)\(Self.errorsSuffix)"
    }

    /// Removes the names; open descriptors stay usable.
    func remove() {
        unsafe unlink(output)
        unsafe unlink(errors)
    }

    /// The reading end of a FIFO that a process has open; nil if unavailable.
    static func reopen(_ path: String) -> Int32? {
        let descriptor = unsafe Glibc.open(
            path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        if unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO {
            return descriptor
        }
        close(descriptor)
        return nil
    }

    /// Removes the FIFOs of processes that are gone.
    static func removeStale(in directory: RuntimeDirectory, keeping labels: Set<String>) {
        for name in ProcFile.entries(directory.path) {
            guard name.hasSuffix(outputSuffix) || name.hasSuffix(errorsSuffix) else { continue }
            let label = String(name.dropLast(outputSuffix.count))
            guard ProcessLabel.isValid(label), !labels.contains(label) else { continue }
            unsafe unlink("\(directory.path)/\(name)")
        }
    }
}

/// Both ends of one output of a child, until the child has its own copy.
struct OutputChannel {
    /// The size of a FIFO in bytes; smaller if the user's pipes have reached their limit.
    private static let fifoSize: Int32 = 256 * 1024

    let reading: Int32
    let writing: Int32

    /// - Parameter fifo: the path of a FIFO to create; nil: a pipe.
    init(fifo: String?) throws(SpawnFailure) {
        guard let fifo else {
            (reading, writing) = try Self.pipe()
            return
        }
        unsafe unlink(fifo)
        guard unsafe mkfifo(fifo, 0o600) == 0 else {
            throw SpawnFailure(errno: errno, subject: fifo, step: "mkfifo")
        }
        // Opened for both directions it never waits for the other side.
        writing = unsafe open(fifo, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard writing >= 0 else {
            let code = errno
            unsafe unlink(fifo)
            throw SpawnFailure(errno: code, subject: fifo, step: "open")
        }
        reading = unsafe open(fifo, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        guard reading >= 0 else {
            let code = errno
            Glibc.close(writing)
            unsafe unlink(fifo)
            throw SpawnFailure(errno: code, subject: fifo, step: "open")
        }
        mooring_pipe_size(writing, Self.fifoSize)
    }

    func close() {
        Glibc.close(reading)
        Glibc.close(writing)
    }

    private static func pipe() throws(SpawnFailure) -> (Int32, Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
            unsafe pointer.withMemoryRebound(to: Int32.self, capacity: 2) {
                unsafe mooring_pipe($0)
            }
        }
        if result < 0 { throw SpawnFailure(errno: -result, step: "pipe") }
        return ends
    }
}
