/// One stream as the virtual HTTP/1.1 connection that its user sees: request bytes to read, response
/// bytes to write.
///
/// Belongs to one connection and is used again for later streams. It outlives the HTTP/2 stream until
/// its user forgets it, and is outlived by it while the last bytes of a response wait for the client.
final class HTTP2Stream {
    /// Events not told yet.
    struct Pending: OptionSet {
        let rawValue: UInt8
        static let opened = Pending(rawValue: 1)
        static let readable = Pending(rawValue: 2)
        static let writable = Pending(rawValue: 4)
        static let reset = Pending(rawValue: 8)
    }

    /// How the request's body goes to the reader.
    enum Upload {
        case none
        /// Bytes that may still come.
        case length(UInt64)
        /// In chunks; so much of the open one is still to be read.
        case chunked(open: UInt64)
        /// The last chunk was made.
        case chunksEnded
        /// Bytes wait for the answer to the upgrade. Can transition to: tunnel, ignored.
        case tunnelPending
        case tunnel
        /// Whatever comes is dropped.
        case ignored
    }

    private(set) var id: Int32 = 0
    var upload = Upload.none
    /// Made bytes that go before the next of the body: the head, or a chunk's framing.
    var framing: [UInt8] = []
    private var framingTaken = 0
    var input: HTTP2ByteQueue
    /// Trailer lines of the request.
    var trailers: [UInt8] = []
    /// The client has ended its side.
    var requestEnded = false

    var response = HTTP2ResponseTranslator()
    var output: HTTP2ByteQueue
    var interim = HTTP2Interim()
    /// A HEADERS frame with the final status was handed to the library.
    var isSubmitted = false
    /// The library waits to be told of data.
    var isDeferred = false
    /// END_STREAM was put into a frame.
    var endWasSent = false
    /// Body bytes put into frames.
    var sentCount: UInt64 = 0
    /// `sentCount` when somebody last looked whether it moves.
    var sentCountSeen: UInt64 = 0
    /// Somebody has looked.
    var wasSeen = false
    /// The client is to be told to stop sending once it has its response.
    var endsUpload = false

    var pending = Pending()
    /// In the connection's line of streams with events.
    var isQueued = false
    var wantsReadable = false
    var wantsWritable = false
    /// The client sent RST_STREAM.
    var wasResetByClient = false
    /// RST_STREAM was asked for by the user.
    var wasResetByUser = false
    var isReset = false
    /// The user knows of it.
    var wasOpened = false
    /// The user has closed the virtual connection.
    var isForgotten = false
    /// The HTTP/2 stream is over.
    var isClosed = false

    private let memory: HTTP2Memory

    init(_ memory: HTTP2Memory) {
        self.memory = memory
        input = HTTP2ByteQueue(memory)
        output = HTTP2ByteQueue(memory)
    }

    deinit { memory.bytes -= interim.bytes }

    /// Counts a 1xx head that was queued.
    func noteInterim(_ count: Int) {
        interim.add(count)
        memory.bytes += count
    }

    /// One of those was put into a frame, if there is one.
    func noteInterimSent() { memory.bytes -= interim.takeOne() }

    /// Makes it as new, for another stream.
    func begin(_ id: Int32) {
        self.id = id
        upload = .none
        framing.removeAll(keepingCapacity: framing.capacity <= 4096)
        framingTaken = 0
        input.removeAll()
        trailers.removeAll(keepingCapacity: false)
        requestEnded = false
        response = HTTP2ResponseTranslator()
        output.removeAll()
        memory.bytes -= interim.bytes
        interim = HTTP2Interim()
        isSubmitted = false
        isDeferred = false
        endWasSent = false
        sentCount = 0
        sentCountSeen = 0
        wasSeen = false
        endsUpload = false
        pending = []
        isQueued = false
        wantsReadable = false
        wantsWritable = false
        wasResetByClient = false
        wasResetByUser = false
        isReset = false
        wasOpened = false
        isForgotten = false
        isClosed = false
    }

    /// Exchange and request have ended as they should.
    var isComplete: Bool { requestEnded && endWasSent }

    /// Moves what there is to read.
    ///
    /// - Returns: Bytes moved in all, and how many of them were the body's, for flow control.
    func read(into room: UnsafeMutableRawBufferPointer) -> (moved: Int, body: Int) {
        var moved = 0
        var body = 0
        while moved < room.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[moved...])
            if framingTaken < framing.count {
                unsafe moved += takeFraming(into: rest)
                continue
            }
            let taken = unsafe takeBody(into: rest)
            if taken == 0, framing.isEmpty { break }
            moved += taken
            body += taken
        }
        return (moved, body)
    }

    /// All that the client sends was read.
    var isReadOut: Bool {
        guard requestEnded, framing.isEmpty, input.isEmpty else { return false }
        switch upload {
        case .none, .length, .chunksEnded, .tunnel, .ignored: return true
        case .chunked, .tunnelPending: return false
        }
    }

    private func takeFraming(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(room.count, framing.count - framingTaken)
        unsafe framing.withUnsafeBytes { bytes in
            unsafe room.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[framingTaken..<framingTaken + count]))
        }
        framingTaken += count
        if framingTaken == framing.count {
            framing.removeAll(keepingCapacity: true)
            framingTaken = 0
        }
        return count
    }

    /// Moves body bytes, or makes the framing that has to go before them.
    private func takeBody(into room: UnsafeMutableRawBufferPointer) -> Int {
        switch upload {
        case .none, .chunksEnded, .tunnelPending, .ignored:
            return 0
        case .length, .tunnel:
            return unsafe input.take(into: room)
        case .chunked(let open) where open > 0:
            let count = min(room.count, Int(clamping: open))
            let taken = unsafe input.take(
                into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
            upload = .chunked(open: open - UInt64(taken))
            if open == UInt64(taken) { HTTP2RequestTranslator.append("\r\n", to: &framing) }
            return taken
        case .chunked:
            if !input.isEmpty {
                upload = .chunked(open: UInt64(input.count))
                framing.append(contentsOf: String(input.count, radix: 16).utf8)
                HTTP2RequestTranslator.append("\r\n", to: &framing)
            } else if requestEnded {
                upload = .chunksEnded
                HTTP2RequestTranslator.append("0\r\n", to: &framing)
                framing.append(contentsOf: trailers)
                HTTP2RequestTranslator.append("\r\n", to: &framing)
            }
            return 0
        }
    }
}
