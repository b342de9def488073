internal import CNghttp2

// Called by nghttp2 while it receives and sends. The return values are its error codes: 0
// continues, a callback failure ends the connection.
extension HTTP2Connection {
    /// Including the empty line, this is the limit of the chunked decoder that follows.
    private static let trailerLimit = Trailers.limit - 2

    /// Continues unless the client has used up its points.
    private var verdict: Int32 {
        glitches.isOverrun ? NGHTTP2_ERR_CALLBACK_FAILURE.rawValue : 0
    }

    func frameBegan(_ header: nghttp2_frame_hd) -> Int32 {
        glitches.noteFrame(header.length)
        let isAck = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue, NGHTTP2_GOAWAY.rawValue: break
        case NGHTTP2_RST_STREAM.rawValue: glitches.add(HTTP2Glitches.Price.reset)
        case NGHTTP2_SETTINGS.rawValue where !isAck: glitches.add(HTTP2Glitches.Price.settings)
        case NGHTTP2_SETTINGS.rawValue: glitches.add(HTTP2Glitches.Price.other)
        case NGHTTP2_PING.rawValue: glitches.add(HTTP2Glitches.Price.ping)
        case NGHTTP2_WINDOW_UPDATE.rawValue: glitches.noteWindowUpdate()
        case NGHTTP2_CONTINUATION.rawValue: glitches.add(HTTP2Glitches.Price.continuation)
        default: glitches.add(HTTP2Glitches.Price.other)
        }
        return verdict
    }

    func invalidFrameCame(on id: Int32) -> Int32 {
        // nghttp2 resets the stream.
        past.noteReset(id, byClient: false)
        glitches.add(HTTP2Glitches.Price.streamError)
        return verdict
    }

    func headersBegan(_ id: Int32, isRequest: Bool) -> Int32 {
        if !isRequest {
            block = streams[id]
            return verdict
        }
        block = nil
        // Streams that clients have reset count until their virtual connections are closed.
        guard streams.count < 2 * Int(settings.maxConcurrentStreams) else {
            glitches.add(HTTP2Glitches.Price.streamError)
            sendReset(id, NGHTTP2_REFUSED_STREAM)
            return verdict
        }
        translator.begin()
        block = makeStream(id)
        return verdict
    }

    func fieldCame(_ id: Int32, name: Span<UInt8>, value: Span<UInt8>) -> Int32 {
        guard let stream = block, stream.id == id else { return 0 }
        if stream.wasOpened {
            guard case .chunked = stream.upload else { return 0 }
            let isFine =
                stream.trailers.count + name.count + value.count + 4 <= Self.trailerLimit
                && HTTP2RequestTranslator.addTrailer(
                    name: name, value: value, to: &stream.trailers)
            return isFine ? 0 : malformed(id)
        }
        guard translator.add(name: name, value: value) else { return malformed(id) }
        if translator.isBeyondReason {
            glitches.add(HTTP2Glitches.Price.hugeHead)
            return malformed(id)
        }
        return 0
    }

    /// Treats the request as malformed: a stream error (RFC 9113 section 8.1.1).
    func malformed(_ id: Int32) -> Int32 {
        sendReset(id, NGHTTP2_PROTOCOL_ERROR)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }

    func frameCame(_ frame: nghttp2_frame) -> Int32 {
        let header = unsafe frame.hd
        let ends = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard let stream = block, stream.id == header.stream_id else { return verdict }
            block = nil
            if stream.wasOpened {
                if ends { requestEnded(stream) }
            } else {
                requestCame(stream, endsStream: ends)
            }
        case NGHTTP2_DATA.rawValue:
            if ends {
                if let stream = streams[header.stream_id] { requestEnded(stream) }
            } else if unsafe header.length <= frame.data.padlen {
                glitches.add(HTTP2Glitches.Price.emptyData)
            }
        case NGHTTP2_RST_STREAM.rawValue:
            streams[header.stream_id]?.wasResetByClient = true
            past.noteReset(header.stream_id, byClient: true)
        case NGHTTP2_PING.rawValue:
            let isAck = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
            if isAck, drain == .noticed { goAway() }
        default:
            break
        }
        return verdict
    }

    private func requestCame(_ stream: HTTP2Stream, endsStream: Bool) {
        if translator.overflowed { glitches.add(HTTP2Glitches.Price.hugeHead) }
        switch translator.write(endsStream: endsStream, into: &stream.framing) {
        case .request(let body, let isHead):
            stream.response.answersHead = isHead
            stream.response.answersUpgrade = body == .tunnel
            stream.upload =
                switch body {
                case .none: .none
                case .length(let length): .length(length)
                case .chunked: .chunked(open: 0)
                case .tunnel: .tunnelPending
                case .ignored: .ignored
                }
            stream.requestEnded = endsStream
            stream.wasOpened = true
            opened += 1
            note(.opened, of: stream)
            if settings.maxStreams > 0, opened >= settings.maxStreams, drain == .none { goAway() }
        case .unknownProtocol:
            fields.answer("501")
            stream.requestEnded = endsStream
            stream.upload = .ignored
            stream.endsUpload = true
            stream.isForgotten = true
            if !submitResponse(of: stream, hasBody: false) {
                giveUp(stream, code: NGHTTP2_INTERNAL_ERROR)
            }
        case .malformed:
            sendReset(stream.id, NGHTTP2_PROTOCOL_ERROR)
        }
    }

    private func requestEnded(_ stream: HTTP2Stream) {
        stream.requestEnded = true
        if stream.wantsReadable { noteReadable(stream) }
    }

    func dataCame(_ id: Int32, _ bytes: UnsafeRawBufferPointer) -> Int32 {
        let count = bytes.count
        guard let stream = streams[id], stream.wasOpened, !stream.isForgotten else {
            release(count)
            return verdict
        }
        switch stream.upload {
        case .none, .chunksEnded, .ignored:
            release(count)
            return verdict
        case .length(let left):
            guard UInt64(count) <= left else {
                release(count)
                sendReset(id, NGHTTP2_PROTOCOL_ERROR)
                return verdict
            }
            stream.upload = .length(left - UInt64(count))
        case .chunked, .tunnel, .tunnelPending:
            break
        }
        unsafe stream.input.append(bytes)
        if case .tunnelPending = stream.upload { return verdict }
        if stream.wantsReadable { noteReadable(stream) }
        return verdict
    }

    /// nghttp2 has room in a DATA frame.
    func dataIsDue(
        _ id: Int32, into room: UnsafeMutableRawBufferPointer, flags: inout UInt32
    ) -> Int {
        guard let stream = streams[id] else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        let count = unsafe stream.output.take(into: room)
        stream.sentCount &+= UInt64(count)
        if stream.output.isEmpty, stream.response.isComplete {
            flags |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue)
            if submitTrailers(of: stream) {
                flags |= UInt32(NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue)
            }
            return count
        }
        if stream.wantsWritable, stream.output.count <= outputLimit / 2 {
            stream.wantsWritable = false
            note(.writable, of: stream)
        }
        if count == 0 {
            stream.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        return count
    }

    private func submitTrailers(of stream: HTTP2Stream) -> Bool {
        // Only the empty line.
        if stream.response.trailers.count <= 2 { return false }
        let trailers = stream.response.trailers
        guard fields.read(trailers: trailers.span), !fields.isEmpty else { return false }
        return session.submitTrailers(stream.id, fields)
    }

    func frameWasSent(_ header: nghttp2_frame_hd) {
        let type = UInt32(header.type)
        if type == NGHTTP2_RST_STREAM.rawValue {
            past.noteReset(header.stream_id, byClient: false)
            glitches.noteResetSent(window: settings.streamWindow)
        }
        if type == NGHTTP2_DATA.rawValue { glitches.noteDataSent(header.length) }
        if type == NGHTTP2_HEADERS.rawValue { streams[header.stream_id]?.noteInterimSent() }
        guard type == NGHTTP2_DATA.rawValue || type == NGHTTP2_HEADERS.rawValue,
            header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
            let stream = streams[header.stream_id]
        else { return }
        stream.endWasSent = true
        if stream.endsUpload { cutUpload(stream) }
    }

    /// A response that could not be framed counts as failed.
    func frameWasNotSent(_ header: nghttp2_frame_hd) {
        guard UInt32(header.type) == NGHTTP2_HEADERS.rawValue,
            let stream = streams[header.stream_id]
        else { return }
        giveUp(stream, code: NGHTTP2_INTERNAL_ERROR)
    }

    func streamClosed(_ id: Int32, code: UInt32) {
        guard let stream = streams[id] else { return }
        stream.isClosed = true
        if stream.isComplete {
            glitches.noteCompletion()
        } else {
            if code != 0, !stream.wasResetByClient, !stream.wasResetByUser {
                glitches.add(HTTP2Glitches.Price.streamError)
            }
            stream.isReset = true
            release(stream.input.removeAll())
            stream.output.removeAll()
        }
        // The user never learns of a stream that was opened and reset in one go.
        let isUnknown = !stream.wasOpened || stream.isReset && stream.pending.contains(.opened)
        if stream.isForgotten || isUnknown {
            drop(stream)
        } else if stream.isReset, !stream.wasResetByUser {
            note(.reset, of: stream)
        }
    }
}
