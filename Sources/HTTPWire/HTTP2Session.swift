internal import CNghttp2

/// The nghttp2 session: strict, without a clock, and bounded.
///
/// Without memory there is no session, and every call fails with that error.
@safe
struct HTTP2Session: ~Copyable {
    private let pointer: OpaquePointer?

    /// A server's session that calls `HTTP2Callbacks`, its SETTINGS queued.
    init(_ settings: HTTP2Settings) { unsafe pointer = Self.make(settings) }

    /// The pointer passed to the callbacks; must be set before receiving or sending.
    func setUser(_ user: UnsafeMutableRawPointer) {
        if let pointer = unsafe pointer { unsafe nghttp2_session_set_user_data(pointer, user) }
    }

    deinit {
        if let pointer = unsafe pointer { unsafe nghttp2_session_del(pointer) }
    }

    private func ask(_ question: (OpaquePointer) -> Int32) -> Int32 {
        guard let pointer = unsafe pointer else { return NGHTTP2_ERR_NOMEM.rawValue }
        return unsafe question(pointer)
    }

    private static func make(_ settings: HTTP2Settings) -> OpaquePointer? {
        guard let option = unsafe makeOption() else { return nil }
        defer { unsafe nghttp2_option_del(option) }
        guard let callbacks = unsafe HTTP2Callbacks.make() else { return nil }
        defer { unsafe nghttp2_session_callbacks_del(callbacks) }
        var session: OpaquePointer?
        guard unsafe nghttp2_session_server_new2(&session, callbacks, nil, option) == 0,
            let session = unsafe session
        else { return nil }
        guard unsafe submit(settings, to: session) else {
            unsafe nghttp2_session_del(session)
            return nil
        }
        return unsafe session
    }

    private static func makeOption() -> OpaquePointer? {
        var made: OpaquePointer?
        guard unsafe nghttp2_option_new(&made) == 0, let option = unsafe made else { return nil }
        unsafe nghttp2_option_set_no_auto_window_update(option, 1)
        // Closed streams are only kept for RFC 7540 priorities; Mooring uses those of RFC 9218.
        unsafe nghttp2_option_set_no_closed_streams(option, 1)
        unsafe nghttp2_option_set_max_outbound_ack(option, 100)
        unsafe nghttp2_option_set_max_settings(option, 32)
        unsafe nghttp2_option_set_max_continuations(option, 8)
        unsafe nghttp2_option_set_max_send_header_block_length(option, 512 * 1024)
        // `HTTP2Glitches` counts resets by the time it is given; nghttp2 would read a clock.
        unsafe nghttp2_option_set_stream_reset_rate_limit(option, 1 << 40, 1 << 40)
        unsafe nghttp2_option_set_builtin_recv_extension_type(
            option, UInt8(NGHTTP2_PRIORITY_UPDATE.rawValue))
        return unsafe option
    }

    private static func submit(_ settings: HTTP2Settings, to session: OpaquePointer) -> Bool {
        func entry(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
        }
        let entries = [
            entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max(1, settings.maxConcurrentStreams)),
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(max(1, settings.streamWindow))),
            entry(
                NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: settings.maxHeaderListSize)),
            entry(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1),
            entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        let submitted = unsafe entries.withUnsafeBufferPointer { list in
            unsafe nghttp2_submit_settings(session, none, list.baseAddress, list.count)
        }
        let window = max(65_535, settings.connectionWindow)
        return unsafe submitted == 0
            && nghttp2_session_set_local_window_size(session, none, 0, window) == 0
    }

    /// Feeds bytes; returns 0, or the error that ends the session.
    func receive(_ bytes: Span<UInt8>) -> Int32 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe ask { session in
                let taken = unsafe nghttp2_session_mem_recv(
                    session, buffer.baseAddress, buffer.count)
                return Int32(clamping: min(taken, 0))
            }
        }
    }

    /// The next output, empty when there is none; valid until the next call.
    func nextSlice() -> (slice: UnsafeRawBufferPointer, error: Int32) {
        var slice = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        let error = unsafe ask { session in
            var data: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &data)
            unsafe slice = UnsafeRawBufferPointer(start: data, count: max(0, count))
            return Int32(clamping: min(0, count))
        }
        return unsafe (slice, error)
    }

    var wantsRead: Bool { unsafe ask { unsafe nghttp2_session_want_read($0) } > 0 }
    var wantsWrite: Bool { unsafe ask { unsafe nghttp2_session_want_write($0) } > 0 }

    /// The last stream passed to the callbacks.
    var lastStream: Int32 {
        max(0, unsafe ask { unsafe nghttp2_session_get_last_proc_stream_id($0) })
    }

    /// Credits both windows.
    func consume(_ id: Int32, _ count: Int) {
        _ = unsafe ask { unsafe nghttp2_session_consume($0, id, count) }
    }

    /// Credits only the connection's window.
    func consumeConnection(_ count: Int) {
        _ = unsafe ask { unsafe nghttp2_session_consume_connection($0, count) }
    }

    /// Whether the stream is open, or its end has not been sent yet.
    func knows(_ id: Int32) -> Bool {
        unsafe ask { unsafe nghttp2_session_find_stream($0, id) == nil ? 0 : 1 } > 0
    }

    func resume(_ id: Int32) { _ = unsafe ask { unsafe nghttp2_session_resume_data($0, id) } }

    func reset(_ id: Int32, _ code: nghttp2_error_code) {
        _ = unsafe ask { unsafe nghttp2_submit_rst_stream($0, 0, id, code.rawValue) }
    }

    /// Queues a 1xx head; false: impossible.
    func submitInformational(_ id: Int32, _ fields: borrowing HTTP2FieldList) -> Bool {
        unsafe fields.withFields { list, count in
            unsafe ask { unsafe nghttp2_submit_headers($0, 0, id, nil, list, count, nil) }
        } == 0
    }

    /// Queues the final head, with data to be requested or the end; false: impossible.
    func submitResponse(
        _ id: Int32, _ fields: borrowing HTTP2FieldList, hasBody: Bool
    ) -> Bool {
        unsafe fields.withFields { list, count in
            unsafe ask { session in
                if !hasBody { return unsafe nghttp2_submit_response(session, id, list, count, nil) }
                var provider = unsafe nghttp2_data_provider(
                    source: nghttp2_data_source(ptr: nil), read_callback: HTTP2Callbacks.dataRead)
                return unsafe nghttp2_submit_response(session, id, list, count, &provider)
            }
        } == 0
    }

    /// Queues the trailers; false: impossible.
    func submitTrailers(_ id: Int32, _ fields: borrowing HTTP2FieldList) -> Bool {
        unsafe fields.withFields { list, count in
            unsafe ask { unsafe nghttp2_submit_trailer($0, id, list, count) }
        } == 0
    }

    /// Queues a GOAWAY that refuses no stream yet, and a PING to learn when it has arrived.
    func announceEnd() {
        _ = unsafe ask { unsafe nghttp2_submit_shutdown_notice($0) }
        _ = unsafe ask { unsafe nghttp2_submit_ping($0, 0, nil) }
    }

    /// Queues the GOAWAY that names the last stream.
    func goAway() {
        let last = lastStream
        _ = unsafe ask { unsafe nghttp2_submit_goaway($0, 0, last, 0, nil, 0) }
    }

    /// A GOAWAY frame (RFC 9113 section 6.8), for when the session itself can no longer send one.
    static func goAway(lastStream: Int32, code: UInt32) -> [UInt8] {
        let stream = UInt32(bitPattern: max(0, lastStream))
        func octets(_ value: UInt32) -> [UInt8] {
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
        }
        return [0, 0, 8, 7, 0, 0, 0, 0, 0] + octets(stream) + octets(code)
    }
}
