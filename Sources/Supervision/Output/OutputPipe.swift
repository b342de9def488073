internal import Glibc
internal import Reactor

/// The reading end of one output pipe of a child, read into lines in bounded portions.
struct OutputPipe {
    /// Which of the two it is, which determines the log level of its lines.
    enum Stream: String {
        case output = "stdout"
        case errors = "stderr"
    }

    enum State: Equatable {
        /// Nothing more for now: an event follows.
        case drained
        /// The portion is used up: continue without waiting for an event.
        case leftover
        case ended
    }

    /// The size of one read; `portion` limits a turn, so that a flood starves no other process.
    static let readSize = 8 * 1024

    let stream: Stream
    let descriptor: Int32
    private var framer = LineFramer()
    private(set) var isOpen: Bool

    /// - Parameter descriptor: -1: there is nothing to read.
    init(stream: Stream, descriptor: Int32) {
        self.stream = stream
        self.descriptor = descriptor
        isOpen = descriptor >= 0
    }

    /// Reads at most `portion` bytes through `scratch` and emits completed lines.
    mutating func read(
        portion: Int, scratch: inout [UInt8], _ onLine: (String) -> Void
    ) -> State {
        var left = portion
        while isOpen && left > 0 {
            let count = unsafe scratch.withUnsafeMutableBytes { room in
                unsafe Glibc.read(descriptor, room.baseAddress, room.count)
            }
            if count > 0 {
                framer.feed(scratch.span.extracting(0..<count), onLine)
                left -= count
            } else if count < 0 && errno == EINTR {
                continue
            } else if count < 0 && errno == EAGAIN {
                return .drained
            } else {
                close(onLine)
            }
        }
        return isOpen ? .leftover : .ended
    }

    /// Closes the pipe and emits an unfinished line.
    ///
    /// Harmless when it is closed already.
    mutating func close(_ onLine: (String) -> Void) {
        guard isOpen else { return }
        isOpen = false
        framer.finish(onLine)
        Glibc.close(descriptor)
    }
}
