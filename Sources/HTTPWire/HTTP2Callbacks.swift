internal import CNghttp2

/// nghttp2's callbacks: each finds its connection and forwards the call.
enum HTTP2Callbacks {
    /// A set of callbacks, freed by the caller; nil: out of memory.
    static func make() -> OpaquePointer? {
        var made: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&made) == 0, let set = unsafe made else {
            return nil
        }
        unsafe setHeaderCallbacks(set)
        unsafe setFrameCallbacks(set)
        return unsafe set
    }

    private static func setHeaderCallbacks(_ set: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(set) { _, frame, user in
            guard let connection = unsafe owner(user), let frame = unsafe frame else { return 0 }
            let isRequest = unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
            return unsafe connection.headersBegan(
                frame.pointee.hd.stream_id, isRequest: isRequest)
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(set) {
            _, frame, name, nameCount, value, valueCount, _, user in
            guard let connection = unsafe owner(user), let frame = unsafe frame else { return 0 }
            return unsafe connection.fieldCame(
                frame.pointee.hd.stream_id,
                name: Span(_unsafeElements: UnsafeBufferPointer(start: name, count: nameCount)),
                value: Span(_unsafeElements: UnsafeBufferPointer(start: value, count: valueCount)))
        }
        // By default nghttp2 would continue without the field.
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(set) {
            _, frame, _, _, _, _, _, user in
            guard let connection = unsafe owner(user), let frame = unsafe frame else { return 0 }
            return unsafe connection.malformed(frame.pointee.hd.stream_id)
        }
    }

    private static func setFrameCallbacks(_ set: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(set) { _, header, user in
            guard let connection = unsafe owner(user), let header = unsafe header else {
                return 0
            }
            return unsafe connection.frameBegan(header.pointee)
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(set) { _, frame, user in
            guard let connection = unsafe owner(user), let frame = unsafe frame else { return 0 }
            return unsafe connection.frameCame(frame.pointee)
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(set) {
            _, frame, _, user in
            guard let connection = unsafe owner(user), let frame = unsafe frame else { return 0 }
            return connection.invalidFrameCame(on: unsafe frame.pointee.hd.stream_id)
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(set) {
            _, _, stream, data, count, user in
            guard let connection = unsafe owner(user) else { return 0 }
            return unsafe connection.dataCame(
                stream, UnsafeRawBufferPointer(start: data, count: count))
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(set) { _, frame, user in
            guard let connection = unsafe owner(user), let frame = unsafe frame else { return 0 }
            unsafe connection.frameWasSent(frame.pointee.hd)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(set) { _, frame, _, user in
            guard let connection = unsafe owner(user), let frame = unsafe frame else { return 0 }
            unsafe connection.frameWasNotSent(frame.pointee.hd)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(set) {
            _, stream, code, user in
            guard let connection = unsafe owner(user) else { return 0 }
            connection.streamClosed(stream, code: code)
            return 0
        }
    }

    /// The data source of all responses.
    static let dataRead: nghttp2_data_source_read_callback = {
        _, stream, room, count, flags, _, user in
        guard let connection = unsafe owner(user), let flags = unsafe flags else {
            return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
        }
        return unsafe connection.dataIsDue(
            stream, into: UnsafeMutableRawBufferPointer(start: room, count: count),
            flags: &flags.pointee)
    }
}

/// The connection that owns the calling session, so it exists.
private func owner(_ user: UnsafeMutableRawPointer?) -> HTTP2Connection? {
    guard let user = unsafe user else { return nil }
    return unsafe Unmanaged<HTTP2Connection>.fromOpaque(user).takeUnretainedValue()
}
