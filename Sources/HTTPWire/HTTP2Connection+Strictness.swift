internal import CNghttp2

// What RFC 9113 wants to be errors and the library lets pass: frames on streams that are closed
// (section 5.1), streams out of order (5.1.1), PRIORITY without sense (6.3).
extension HTTP2Connection {
    /// Judges a frame that is about to be received, all before it having been.
    func examine(_ frame: HTTP2FrameScanner.Frame) {
        switch UInt32(frame.type) {
        case NGHTTP2_PRIORITY.rawValue:
            examinePriority(frame)
        case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
            examinePast(frame)
        default:
            break
        }
    }

    /// Whether `examine` has anything to say of a frame, so that it must not be early.
    func isDoubtful(_ frame: HTTP2FrameScanner.Frame) -> Bool {
        if frame.isInBlock { return false }
        switch UInt32(frame.type) {
        case NGHTTP2_PRIORITY.rawValue:
            return frame.stream == 0 || frame.dependency == frame.stream
        case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
            return frame.stream & 1 == 1 && frame.stream <= past.highest
        default:
            return false
        }
    }

    /// A stream that depends on itself is reset, unless there is none to reset.
    private func examinePriority(_ frame: HTTP2FrameScanner.Frame) {
        guard frame.stream != 0, session.knows(frame.stream) else { return fail(.protocolError) }
        glitches.add(HTTP2Glitches.Price.streamError)
        sendReset(frame.stream, NGHTTP2_PROTOCOL_ERROR)
    }

    private func examinePast(_ frame: HTTP2FrameScanner.Frame) {
        if session.knows(frame.stream) { return }
        switch past.end(of: frame.stream) {
        case .resetHere: break
        case .resetByClient:
            glitches.add(HTTP2Glitches.Price.streamError)
            sendReset(frame.stream, NGHTTP2_STREAM_CLOSED)
        case .ended: fail(.streamClosed)
        case .neverOpened:
            let opens = UInt32(frame.type) == NGHTTP2_HEADERS.rawValue
            fail(opens ? .protocolError : .streamClosed)
        }
    }

    /// Ends a stream with RST_STREAM, and remembers that what is on its way comes in vain.
    func sendReset(_ id: Int32, _ code: nghttp2_error_code) {
        past.noteReset(id, byClient: false)
        session.reset(id, code)
    }

    /// Ends the connection of a client that does not come to the end of a head: see `openHead`.
    package func giveUpHead() { fail(.slowHead) }

    /// Tells apart the heads that are incomplete; nil: none is.
    ///
    /// The preface counts as one, and so does each frame but DATA; the client is to send the rest in
    /// the time for a head.
    package var openHead: Int? { scanner.openHead }
}
