internal import CNghttp2

// Errors of RFC 9113 that nghttp2 does not report: frames on closed streams (section 5.1), streams
// out of order (5.1.1), invalid PRIORITY (6.3).
extension HTTP2Connection {
    /// Checks a frame that is about to be received, after all frames before it were.
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

    /// Whether `examine` may object to a frame, so that it must not be received before.
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

    /// Resets a stream that depends on itself, if it exists.
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

    /// Ends a stream with RST_STREAM, and expects frames already in flight for it.
    func sendReset(_ id: Int32, _ code: nghttp2_error_code) {
        past.noteReset(id, byClient: false)
        session.reset(id, code)
    }

    /// Ends the connection of a client that does not complete a head in time: see `openHead`.
    package func giveUpHead() { fail(.slowHead) }

    /// Identifies the incomplete head, so that progress can be detected; nil: none.
    ///
    /// The preface counts as one, and so does each frame except DATA; the client must send the rest
    /// within the time for a head.
    package var openHead: Int? { scanner.openHead }
}
