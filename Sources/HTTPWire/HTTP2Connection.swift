internal import CNghttp2

/// The server's side of one HTTP/2 connection: bytes from the wire in, bytes for the wire out, and
/// each stream a virtual HTTP/1.1 connection in between (RFC 9113).
///
/// Does no I/O. Confined to one thread. A turn of its user: `receive` what has arrived; take events
/// until there are none, reading and writing streams; `send` until it returns nothing. Sending
/// causes events too (`writable`, `reset`), so take events again after it.
@safe
package final class HTTP2Connection {
    /// The progress of a graceful shutdown (RFC 9113 section 6.8).
    enum Drain {
        /// Can transition to: noticed.
        case none
        /// GOAWAY without a last stream was sent, followed by a PING.
        ///
        /// To: final, when the PING returns.
        case noticed
        /// Streams above the last one are not served.
        case final
    }

    private static let mostSpare = 32
    private static let spareAtRest = 2

    /// Its limits.
    package let settings: HTTP2Settings
    /// Set from the end of `init` on; its callbacks need the finished object.
    private(set) var session: HTTP2Session
    var glitches: HTTP2Glitches
    var translator: HTTP2RequestTranslator
    var fields = HTTP2FieldList()
    var streams: [Int32: HTTP2Stream] = [:]
    /// Finished streams, for reuse.
    private var spare: [HTTP2Stream] = []
    private let memory: HTTP2Memory
    /// Bytes of a response that may wait for the client on one stream, 1xx heads included; lower
    /// than in the settings when memory is short.
    package var outputLimit: Int
    /// The stream whose header block is arriving; nil: the block is ignored.
    var block: HTTP2Stream?
    /// Streams with events, each once; those before `eventsTaken` were handled.
    private var events: [Int32] = []
    private var eventsTaken = 0
    var drain = Drain.none
    /// The number of streams opened so far.
    var opened = 0
    var scanner = HTTP2FrameScanner()
    var past = HTTP2PastStreams()
    /// Once set, the session is no longer used.
    private(set) var problem: HTTP2Problem?
    /// Output of nghttp2 that is not sent yet; valid until the next call for more.
    private var slice = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    /// The last frame after a problem.
    private var finalFrame: [UInt8] = []

    /// Creates a connection that expects the client's preface and has its own SETTINGS to send.
    ///
    /// - Parameter memory: accounts for what the connection buffers for slow peers.
    package init(_ settings: HTTP2Settings, memory: HTTP2Memory = HTTP2Memory()) {
        self.settings = settings
        self.memory = memory
        outputLimit = settings.outputLimit
        glitches = HTTP2Glitches(settings)
        translator = HTTP2RequestTranslator(headLimit: settings.maxHeaderListSize)
        session = HTTP2Session(settings)
        unsafe session.setUser(Unmanaged.passUnretained(self).toOpaque())
    }

    /// Whether a connection begins with HTTP/2's preface (RFC 9113 section 3.4), judged by the part
    /// that looks like the head of a request.
    package static func beginsWithPreface(_ bytes: Span<UInt8>) -> Bool {
        let start: StaticString = "PRI * HTTP/2.0\r\n\r\n"
        guard bytes.count >= start.utf8CodeUnitCount else { return false }
        for index in 0..<start.utf8CodeUnitCount where bytes[index] != start.octet(index) {
            return false
        }
        return true
    }

    /// Feeds all bytes from the wire.
    ///
    /// - Parameters:
    ///   - bytes: as received, split anywhere.
    ///   - now: monotonic time in nanoseconds, by which misbehaviour is forgiven.
    /// - Returns: `closed` when no more bytes may be fed; final. Some connection errors show only
    ///   after their GOAWAY was sent: see `isFinished`.
    package func receive(_ bytes: Span<UInt8>, now: Int64) -> HTTP2Progress {
        glitches.advance(to: now)
        var fed = 0
        var position = 0
        while problem == nil, let frame = scanner.next(bytes, from: &position) {
            if isDoubtful(frame) {
                feed(bytes.extracting(fed..<frame.start))
                fed = frame.start
                if problem == nil { examine(frame) }
            }
            if isOpening(frame) { past.noteOpened(frame.stream) }
        }
        if problem == nil { feed(bytes.extracting(fed..<bytes.count)) }
        if glitches.isOverrun { fail(.flood) }
        checkInvariants()
        return problem.map { .closed($0) } ?? .ok
    }

    private func feed(_ bytes: Span<UInt8>) {
        if bytes.isEmpty { return }
        let result = session.receive(bytes)
        glitches.noteReceived(bytes.count)
        if result < 0 { fail(Self.problem(of: result)) }
    }

    /// After the last GOAWAY, new streams of the client are ignored.
    private func isOpening(_ frame: HTTP2FrameScanner.Frame) -> Bool {
        UInt32(frame.type) == NGHTTP2_HEADERS.rawValue && frame.stream & 1 == 1 && drain != .final
    }

    private static func problem(of error: Int32) -> HTTP2Problem {
        switch error {
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: .badPreface
        case NGHTTP2_ERR_FLOODED.rawValue: .flood
        case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue: .flood
        case NGHTTP2_ERR_CALLBACK_FAILURE.rawValue: .flood
        case NGHTTP2_ERR_NOMEM.rawValue: .outOfMemory
        default: .protocolError
        }
    }

    /// Ends the connection at once, with one last frame; only the first problem counts.
    func fail(_ problem: HTTP2Problem) {
        if self.problem != nil { return }
        self.problem = problem
        finalFrame = HTTP2Session.goAway(lastStream: session.lastStream, code: problem.code)
        resetStreams()
    }

    /// Serialises pending output into the buffer.
    ///
    /// - Returns: the bytes written; 0: nothing is pending now.
    package func send(into room: UnsafeMutableRawBufferPointer) -> Int {
        var written = 0
        while written < room.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[written...])
            let moved = unsafe sendSlice(into: rest)
            if moved == 0 { break }
            written += moved
        }
        if glitches.isOverrun { fail(.flood) }
        if !wantsRead { resetStreams() }
        checkInvariants()
        return written
    }

    private func sendSlice(into room: UnsafeMutableRawBufferPointer) -> Int {
        if unsafe slice.isEmpty {
            if problem != nil { return unsafe sendFinalFrame(into: room) }
            let (next, result) = unsafe session.nextSlice()
            unsafe slice = next
            if result < 0 { fail(Self.problem(of: result)) }
            if result < 0 { return unsafe sendFinalFrame(into: room) }
        }
        let count = unsafe min(room.count, slice.count)
        unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: slice[..<count]))
        unsafe slice = UnsafeRawBufferPointer(rebasing: slice[count...])
        return count
    }

    private func sendFinalFrame(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(room.count, finalFrame.count)
        unsafe finalFrame.withUnsafeBytes { bytes in
            unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
        finalFrame.removeFirst(count)
        return count
    }

    /// Whether there is output that flow control permits.
    package var wantsSend: Bool {
        if unsafe !slice.isEmpty { return true }
        if problem != nil { return !finalFrame.isEmpty }
        return session.wantsWrite
    }

    private var wantsRead: Bool {
        problem == nil && session.wantsRead
    }

    /// Both sides are done, or a GOAWAY for an error was sent: close the connection.
    package var isFinished: Bool { !wantsSend && !wantsRead }

    /// Streams that are open or not forgotten, or whose response still waits for the client.
    package var openStreams: Int { streams.count }

    /// Shuts the connection down gracefully: open streams finish, then `isFinished` is true.
    ///
    /// The first GOAWAY asks the client to open no more streams; one round trip later a second
    /// names the last stream. A second call skips the round trip.
    package func goAway() {
        switch drain {
        case .none:
            drain = .noticed
            session.announceEnd()
        case .noticed:
            drain = .final
            session.goAway()
        case .final:
            break
        }
    }
}

extension HTTP2Connection {
    /// Takes the next event; nil: there is none.
    package func nextEvent() -> HTTP2Event? {
        while eventsTaken < events.count {
            let id = events[eventsTaken]
            if let stream = streams[id], let event = Self.takeEvent(of: stream) { return event }
            streams[id]?.isQueued = false
            eventsTaken += 1
        }
        events.removeAll(keepingCapacity: true)
        eventsTaken = 0
        return nil
    }

    private static func takeEvent(of stream: HTTP2Stream) -> HTTP2Event? {
        if stream.pending.remove(.opened) != nil { return .opened(stream.id) }
        if stream.pending.remove(.reset) != nil {
            stream.pending = []
            return .reset(stream.id)
        }
        if stream.pending.remove(.readable) != nil { return .readable(stream.id) }
        if stream.pending.remove(.writable) != nil { return .writable(stream.id) }
        return nil
    }

    /// Queues an event for the user, unless it has forgotten the stream.
    func note(_ event: HTTP2Stream.Pending, of stream: HTTP2Stream) {
        if stream.isForgotten { return }
        stream.pending.insert(event)
        if stream.isQueued { return }
        stream.isQueued = true
        events.append(stream.id)
    }

    func makeStream(_ id: Int32) -> HTTP2Stream {
        let stream = spare.popLast() ?? HTTP2Stream(memory)
        stream.begin(id)
        streams[id] = stream
        return stream
    }

    /// Retires a stream; its object is kept for reuse.
    func drop(_ stream: HTTP2Stream) {
        streams[stream.id] = nil
        if block === stream { block = nil }
        stream.begin(0)
        if spare.count < Self.mostSpare { spare.append(stream) }
        // An idle connection keeps only what its next requests need.
        if streams.isEmpty, spare.count > Self.spareAtRest {
            spare.removeLast(spare.count - Self.spareAtRest)
        }
    }

    /// The connection is over: incomplete streams are reset.
    private func resetStreams() {
        for id in streams.keys.sorted() {
            guard let stream = streams[id], !stream.isClosed else { continue }
            streamClosed(id, code: 0)
        }
    }
}
