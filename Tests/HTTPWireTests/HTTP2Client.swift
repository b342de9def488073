internal import CNghttp2

@testable internal import HTTPWire

/// An HTTP/2 client of nghttp2's over memory, and what it has seen.
@safe
final class HTTP2Client {
    /// What came back on one stream.
    struct Answer: Equatable {
        /// Each head as its lines `name: value`; 1xx, final, trailers.
        var heads: [[String]] = []
        var body: [UInt8] = []
        var ended = false
        /// The code of RST_STREAM.
        var resetCode: UInt32?

        var text: String { String(decoding: body, as: UTF8.self) }
        var statuses: [String] { heads.compactMap { $0.first } }
        func fields(_ index: Int) -> [String] { index < heads.count ? heads[index] : [] }
    }

    /// A request body to be sent as flow control lets.
    private struct Upload {
        var bytes: [UInt8] = []
        var ends = true
        var trailers: [(String, String)] = []
        var isDeferred = false
    }

    private var session: OpaquePointer?
    var answers: [Int32: Answer] = [:]
    var goAways: [UInt32] = []
    private var uploads: [Int32: Upload] = [:]
    /// Does not credit windows for what it receives.
    var isStalled = false

    /// - Parameters:
    ///   - checks: The library refuses to send what is malformed.
    ///   - window: Of each stream, for what it receives.
    init(checks: Bool = true, window: UInt32 = 65_535) {
        var callbacks: OpaquePointer?
        unsafe nghttp2_session_callbacks_new(&callbacks)
        unsafe Self.set(callbacks)
        var option: OpaquePointer?
        unsafe nghttp2_option_new(&option)
        unsafe nghttp2_option_set_no_http_messaging(option, checks ? 0 : 1)
        unsafe nghttp2_option_set_no_auto_window_update(option, 1)
        let user = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe nghttp2_session_client_new2(&session, callbacks, user, option)
        unsafe nghttp2_option_del(option)
        unsafe nghttp2_session_callbacks_del(callbacks)
        var entry = nghttp2_settings_entry(
            settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: window)
        unsafe nghttp2_submit_settings(session, 0, &entry, 1)
    }

    deinit { unsafe nghttp2_session_del(session) }

    /// Queues a request; returns its stream.
    ///
    /// - Parameters:
    ///   - body: Nil: the head ends the stream.
    ///   - ends: Nothing comes behind the body.
    @discardableResult
    func request(
        _ fields: [(String, String)], body: [UInt8]? = nil, ends: Bool = true,
        trailers: [(String, String)] = []
    ) -> Int32 {
        unsafe withFields(fields) { list, count in
            guard let body else {
                return unsafe nghttp2_submit_request(session, nil, list, count, nil, nil)
            }
            var provider = unsafe nghttp2_data_provider(
                source: nghttp2_data_source(ptr: nil), read_callback: Self.readUpload)
            let id = unsafe nghttp2_submit_request(session, nil, list, count, &provider, nil)
            uploads[id] = Upload(bytes: body, ends: ends, trailers: trailers)
            return id
        }
    }

    @discardableResult
    func get(_ path: String, _ more: [(String, String)] = []) -> Int32 {
        request(Self.head("GET", path) + more)
    }

    static func head(_ method: String, _ path: String) -> [(String, String)] {
        [(":method", method), (":scheme", "https"), (":authority", "a.example"), (":path", path)]
    }

    /// More of an upload that was left open.
    func send(_ bytes: [UInt8], on id: Int32, ends: Bool = false) {
        uploads[id, default: Upload()].bytes += bytes
        uploads[id]?.ends = ends
        if uploads[id]?.isDeferred == true { unsafe nghttp2_session_resume_data(session, id) }
        uploads[id]?.isDeferred = false
    }

    func reset(_ id: Int32, code: UInt32 = 8) {
        unsafe nghttp2_submit_rst_stream(session, 0, id, code)
    }

    func ping() { unsafe nghttp2_submit_ping(session, 0, nil) }

    /// Credits the windows for what came on the stream.
    func consume(_ id: Int32, _ count: Int) {
        unsafe nghttp2_session_consume(session, id, count)
    }

    /// All bytes that are due.
    func output() -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            var data: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &data)
            if count <= 0 { return bytes }
            unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: data, count: count))
        }
    }

    /// False: the server has broken the protocol.
    func receive(_ bytes: [UInt8]) -> Bool {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe nghttp2_session_mem_recv(session, buffer.baseAddress, buffer.count)
                == buffer.count
        }
    }

    private func withFields(
        _ fields: [(String, String)], _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Int32
    ) -> Int32 {
        let texts = fields.map { (Array($0.0.utf8), Array($0.1.utf8)) }
        var list: [nghttp2_nv] = unsafe []
        var kept: [UnsafeMutableBufferPointer<UInt8>] = unsafe []
        func keep(_ bytes: [UInt8]) -> UnsafeMutablePointer<UInt8>? {
            let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count + 1)
            _ = unsafe memory.initialize(from: bytes + [0])
            unsafe kept.append(memory)
            return memory.baseAddress
        }
        for (name, value) in texts {
            unsafe list.append(
                nghttp2_nv(
                    name: keep(name), value: keep(value), namelen: name.count,
                    valuelen: value.count, flags: 0))
        }
        let result = unsafe list.withUnsafeBufferPointer { buffer in
            unsafe body(buffer.baseAddress, buffer.count)
        }
        unsafe kept.forEach { memory in unsafe memory.deallocate() }
        return result
    }
}

extension HTTP2Client {
    private static func of(_ user: UnsafeMutableRawPointer?) -> HTTP2Client? {
        guard let user = unsafe user else { return nil }
        return unsafe Unmanaged<HTTP2Client>.fromOpaque(user).takeUnretainedValue()
    }

    private static let readUpload: nghttp2_data_source_read_callback = {
        session, id, room, count, flags, _, user in
        guard let client = unsafe HTTP2Client.of(user), var upload = client.uploads[id],
            let room = unsafe room
        else { return -902 }
        let taken = min(count, upload.bytes.count)
        for index in 0..<taken { unsafe room[index] = upload.bytes[index] }
        upload.bytes.removeFirst(taken)
        if upload.bytes.isEmpty, upload.ends {
            unsafe flags?.pointee |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue)
            if !upload.trailers.isEmpty {
                unsafe flags?.pointee |= UInt32(NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue)
                _ = unsafe client.withFields(upload.trailers) { list, count in
                    unsafe nghttp2_submit_trailer(session, id, list, count)
                }
            }
        } else if taken == 0 {
            upload.isDeferred = true
        }
        client.uploads[id] = upload
        return upload.isDeferred ? Int(NGHTTP2_ERR_DEFERRED.rawValue) : taken
    }

    private static func set(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) {
            _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            unsafe HTTP2Client.of(user)?.answers[frame.pointee.hd.stream_id, default: Answer()]
                .heads.append([])
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, user in
            guard let frame = unsafe frame, let client = unsafe HTTP2Client.of(user) else {
                return 0
            }
            let name = unsafe String(
                decoding: UnsafeBufferPointer(start: name, count: nameCount), as: UTF8.self)
            let value = unsafe String(
                decoding: UnsafeBufferPointer(start: value, count: valueCount), as: UTF8.self)
            let id = unsafe frame.pointee.hd.stream_id
            let last = (client.answers[id]?.heads.count ?? 0) - 1
            if last >= 0 { client.answers[id]?.heads[last].append("\(name): \(value)") }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, id, data, count, user in
            guard let client = unsafe HTTP2Client.of(user) else { return 0 }
            unsafe client.answers[id, default: Answer()].body.append(
                contentsOf: UnsafeBufferPointer(start: data, count: count))
            if !client.isStalled { client.consume(id, count) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) {
            _, frame, user in
            guard let frame = unsafe frame, let client = unsafe HTTP2Client.of(user) else {
                return 0
            }
            unsafe client.note(frame.pointee)
            return 0
        }
    }

    private func note(_ frame: nghttp2_frame) {
        let header = unsafe frame.hd
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            if header.flags & 1 != 0 { answers[header.stream_id, default: Answer()].ended = true }
        case NGHTTP2_RST_STREAM.rawValue:
            unsafe answers[header.stream_id, default: Answer()].resetCode =
                frame.rst_stream.error_code
        case NGHTTP2_GOAWAY.rawValue:
            unsafe goAways.append(frame.goaway.error_code)
        default: break
        }
    }
}
