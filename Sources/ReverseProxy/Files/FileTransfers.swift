internal import HTTPWire
internal import Reactor
internal import Settings

/// A file on its way to a client, in its loop's slab: plain data.
struct FileTransfer {
    let file: ServedFile
    /// The next byte of the file to be read.
    var position: Int64
    /// After the last one of this part.
    var end: Int64
    /// There are more parts: see `FileTransfers.parts`.
    var isMultipart = false
    /// Its file system has no sendfile(2), or the client's connection none: bytes are copied.
    var copies: Bool
    /// How many bytes at the end of the client's output are the file's, up to `position`.
    var inOutput = 0
    /// It goes on in the next turn, whatever event comes before.
    var isPostponed = false
}

/// One loop's files on their way to clients.
///
/// Belongs to the loop's thread. Each has an open descriptor, counted with those of connections to
/// processes, so that the rest of the program always has some left.
final class FileTransfers {
    private var slab: Slab<FileTransfer>
    /// Several parts of a file, by the transfer's index.
    var parts: [Int: MultipartRanges] = [:]
    private let counters: LoopCounters
    private let shared: SharedState
    private let plan: Plan

    /// - Parameter capacity: the most transfers: each client has one at a time.
    init(capacity: Int, counters: LoopCounters, shared: SharedState, plan: Plan) {
        slab = Slab(capacity: capacity)
        self.counters = counters
        self.shared = shared
        self.plan = plan
    }

    var count: Int { slab.count }

    /// A transfer, modified in place.
    subscript(entry: Int) -> FileTransfer {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(slab.pointer(to: entry)) }
        @inline(__always) unsafeMutableAddress { unsafe slab.pointer(to: entry) }
    }

    /// Takes over an open file; nil: no more may be open now, and it still is the caller's.
    func begin(_ transfer: FileTransfer) -> Int? {
        guard shared.takeUpstream(limit: plan.settings.upstreams) else { return nil }
        guard let entry = slab.insert(transfer) else {
            shared.giveUpstream()
            return nil
        }
        counters.add(.filesOpen)
        return entry
    }

    /// Closes the file, at its end or before.
    func end(_ entry: Int) {
        if self[entry].isMultipart { parts[entry] = nil }
        self[entry].file.close()
        slab.remove(entry)
        shared.giveUpstream()
        counters.subtract(.filesOpen)
    }
}
