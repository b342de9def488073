internal import CLinux
internal import Glibc

/// The named pipes that a process writes its output to.
///
/// A process that is to outlive the balancer must not depend on a pipe whose only reader is the
/// balancer: with the reader gone its next line would end it (SIGPIPE, EPIPE). So its descriptors 1
/// and 2 are FIFOs of the runtime directory, opened for reading *and* writing (fifo(7)): it is a
/// reader itself, its writes never fail, and a later balancer opens the same FIFO by its name and
/// reads on where the last one stopped. While nobody reads, 256 KiB of each have room; who writes
/// more waits until a balancer comes, which is the one that would have sent it requests.
struct OutputFifos: Equatable, Sendable {
    static let outputSuffix = ".out"
    static let errorsSuffix = ".err"

    let output: String
    let errors: String

    init(label: String, in runtimeDirectory: String) {
        output = "\(runtimeDirectory)/\(label)\(Self.outputSuffix)"
        errors = "\(runtimeDirectory)/\(label)\(Self.errorsSuffix)"
    }

    /// Removes the names; who has them open goes on.
    func remove() {
        unsafe unlink(output)
        unsafe unlink(errors)
    }

    /// The reading end of a FIFO that a process has open; nil when it cannot be had.
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

/// Both ends of what carries one output of a child, until it has its own copy of one.
struct OutputChannel {
    /// Of a FIFO, in bytes; less where the user's pipes have used up what they may.
    private static let fifoSize: Int32 = 256 * 1024

    let reading: Int32
    let writing: Int32

    /// - Parameter fifo: the path of a FIFO to be made; nil: a pipe.
    init(fifo: String?) throws(SpawnFailure) {
        guard let fifo else {
            (reading, writing) = try Self.pipe()
            return
        }
        unsafe unlink(fifo)
        guard unsafe mkfifo(fifo, 0o600) == 0 else {
            throw SpawnFailure(errno: errno, subject: fifo, step: "mkfifo")
        }
        // Opened for both it never waits for the other side.
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
