internal import CNghttp2

// The virtual HTTP/1.1 connections. Calls for a stream that no longer exists have no effect.
extension HTTP2Connection {
    /// Reads request bytes of a stream: a head, then the body in its framing.
    ///
    /// Body bytes that are read are credited to the client's window.
    package func read(_ id: Int32, into room: UnsafeMutableRawBufferPointer) -> HTTP2Read {
        guard let stream = streams[id], !stream.isReset else { return .reset }
        let (moved, body) = unsafe stream.read(into: room)
        if body > 0 { session.consume(id, body) }
        if moved > 0 { return .moved(moved) }
        if stream.isReadOut { return .end }
        stream.wantsReadable = true
        return .wouldBlock
    }

    /// Writes response bytes to a stream: 1xx heads, the final head, the body in its framing.
    ///
    /// - Returns: the bytes accepted. Fewer than given: the client is slow, and `writable` follows.
    ///   Bytes after a complete response, or for a stream that was reset, are accepted and dropped.
    package func write(_ id: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        let count = bytes.count
        guard let stream = streams[id], !stream.isReset else { return count }
        let span = unsafe Span<UInt8>(_unsafeElements: bytes.bindMemory(to: UInt8.self))
        var taken = 0
        while taken < count, stream.response.isUnderWay {
            let room = outputLimit - stream.output.count
            if room <= 0 {
                stream.wantsWritable = true
                resume(stream)
                return taken
            }
            let rest = span.extracting(taken..<count)
            switch stream.response.next(rest, limit: room) {
            case .head(let consumed):
                takeHead(rest.extracting(0..<consumed), of: stream)
                taken += consumed
            case .gatheredHead(let consumed):
                let head = stream.response.gathered
                takeHead(head.span, of: stream)
                taken += consumed
            case .data(let consumed, let range):
                let data = rest.extracting(range)
                unsafe data.withUnsafeBytes { part in unsafe stream.output.append(part) }
                taken += consumed
            case .needMore(let consumed), .end(let consumed):
                taken += consumed
            case .bad:
                giveUp(stream, code: NGHTTP2_INTERNAL_ERROR)
            }
        }
        resume(stream)
        return count
    }

    private func takeHead(_ head: Span<UInt8>, of stream: HTTP2Stream) {
        guard let facts = fields.read(head: head) else {
            return giveUp(stream, code: NGHTTP2_INTERNAL_ERROR)
        }
        let isQueued: Bool
        switch stream.response.headWasRead(facts) {
        case .bad:
            return giveUp(stream, code: NGHTTP2_INTERNAL_ERROR)
        case .informational:
            // The client can do without a 1xx, so none is queued for a slow client beyond the
            // limit.
            let waiting = stream.output.count + stream.interim.bytes
            guard waiting + head.count <= outputLimit else { return }
            stream.noteInterim(head.count)
            isQueued = session.submitInformational(stream.id, fields)
        case .switching:
            stream.upload = .tunnel
            if stream.wantsReadable { noteReadable(stream) }
            isQueued = submitResponse(of: stream, hasBody: true)
        case .final:
            if case .tunnelPending = stream.upload {
                stream.upload = .ignored
                release(stream.input.removeAll())
                if stream.wantsReadable, stream.requestEnded { noteReadable(stream) }
            }
            isQueued = submitResponse(of: stream, hasBody: !stream.response.isComplete)
        }
        if !isQueued { giveUp(stream, code: NGHTTP2_INTERNAL_ERROR) }
    }

    func submitResponse(of stream: HTTP2Stream, hasBody: Bool) -> Bool {
        stream.isSubmitted = true
        return session.submitResponse(stream.id, fields, hasBody: hasBody)
    }

    /// Resumes a stream that nghttp2 deferred for lack of data.
    private func resume(_ stream: HTTP2Stream) {
        guard stream.isDeferred, !stream.output.isEmpty || stream.response.isComplete else {
            return
        }
        stream.isDeferred = false
        session.resume(stream.id)
    }

    /// Ends the response: closes the writer's side of the virtual connection.
    ///
    /// A body delimited by the close, or a tunnel, ends regularly; an incomplete response becomes
    /// the stream error INTERNAL_ERROR, so that no client takes it for complete. Harmless when it
    /// is complete, or repeated.
    package func finish(_ id: Int32) {
        guard let stream = streams[id], !stream.isReset else { return }
        if stream.response.endWithConnection() {
            resume(stream)
        } else if stream.response.isUnderWay {
            giveUp(stream, code: NGHTTP2_INTERNAL_ERROR)
        }
    }

    /// Abandons the stream with CANCEL; after a complete response only the client's upload, with
    /// NO_ERROR, once the response is sent (RFC 9113 section 8.1).
    package func reset(_ id: Int32) {
        guard let stream = streams[id], !stream.isReset else { return }
        if stream.response.isComplete {
            stopUpload(stream)
        } else {
            giveUp(stream, code: NGHTTP2_CANCEL)
        }
    }

    /// Refuses a stream before it was processed; the caller must forget it next.
    ///
    /// The client may retry, whatever the method (RFC 9113 section 8.7).
    package func refuse(_ id: Int32) {
        guard let stream = streams[id], !stream.isReset else { return }
        giveUp(stream, code: NGHTTP2_REFUSED_STREAM)
    }

    /// Closes the virtual connection: it causes no more events.
    ///
    /// A complete response is still sent; an incomplete one ends as in `finish`.
    package func forget(_ id: Int32) {
        guard let stream = streams[id], !stream.isForgotten else { return }
        finish(id)
        stopUpload(stream)
        stream.isForgotten = true
        stream.pending = []
        if stream.isClosed { drop(stream) }
        checkInvariants()
    }

    /// The rest of the request is not wanted.
    private func stopUpload(_ stream: HTTP2Stream) {
        stream.upload = .ignored
        stream.endsUpload = true
        stream.framing.removeAll(keepingCapacity: true)
        release(stream.input.removeAll())
        if stream.endWasSent { cutUpload(stream) }
    }

    /// Tells a client that has its complete response to stop uploading.
    func cutUpload(_ stream: HTTP2Stream) {
        if stream.requestEnded || stream.isClosed || stream.wasResetByUser { return }
        stream.wasResetByUser = true
        sendReset(stream.id, NGHTTP2_NO_ERROR)
    }

    /// Ends the stream with an error; output that waits for the client is dropped.
    func giveUp(_ stream: HTTP2Stream, code: nghttp2_error_code) {
        stream.response.fail()
        stream.output.removeAll()
        if stream.isClosed || stream.wasResetByUser { return }
        stream.wasResetByUser = true
        sendReset(stream.id, code)
    }

    /// Credits the connection's window for bytes that will not be read.
    ///
    /// The stream's window is left as it is, so that its client stops.
    func release(_ count: Int) {
        if count == 0 { return }
        session.consumeConnection(count)
    }

    func noteReadable(_ stream: HTTP2Stream) {
        stream.wantsReadable = false
        note(.readable, of: stream)
    }

    /// Resets the streams that only wait for a client which has taken nothing of its response since
    /// the last call; to be called as often as a client may stall.
    ///
    /// Their virtual connections are closed, so no other timer watches them.
    package func resetStalled() {
        for id in streams.keys.sorted() {
            guard let stream = streams[id], stream.isForgotten, !stream.isClosed else { continue }
            if stream.wasSeen, stream.sentCountSeen == stream.sentCount {
                giveUp(stream, code: NGHTTP2_CANCEL)
            }
            stream.wasSeen = true
            stream.sentCountSeen = stream.sentCount
        }
    }
}
