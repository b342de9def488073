/// The head of a response whose body is a file, or parts of one.
package struct FileHead: Sendable {
    /// What of the file follows.
    package enum Content: Sendable {
        case whole
        case part(Range<Int64>)
        case parts(MultipartRanges)
        /// Nothing: the client has it (304).
        case none
    }

    package let content: Content
    private let size: Int64
    private let type: MediaType
    private let validators: FileValidators
    /// The coding of the file's content.
    package var coding: ContentCoding?
    /// Another client may get another coding.
    package var varies = false
    /// The connection closes after it.
    package var closes = false
    /// An HTTP/1.0 client keeps its connection.
    package var keepsAlive = false

    /// - Parameter size: of the file.
    package init(_ content: Content, size: Int64, type: MediaType, validators: FileValidators) {
        self.content = content
        self.size = size
        self.type = type
        self.validators = validators
    }

    package var status: UInt16 {
        switch content {
        case .whole: 200
        case .part, .parts: 206
        case .none: 304
        }
    }

    /// The length of the body.
    package var length: Int64 {
        switch content {
        case .whole: size
        case .part(let range): Int64(range.count)
        case .parts(let parts): parts.length
        case .none: 0
        }
    }

    /// Writes the head.
    ///
    /// - Parameters:
    ///   - date: an IMF-fixdate.
    ///   - extra: fields of the configuration, which replace those of the file; nil: none.
    package func write(date: Span<UInt8>, extra: ExtraFields?, into sink: inout ByteSink) {
        switch content {
        case .whole: sink.append("HTTP/1.1 200 OK\r\nDate: ")
        case .part, .parts: sink.append("HTTP/1.1 206 Partial Content\r\nDate: ")
        case .none: sink.append("HTTP/1.1 304 Not Modified\r\nDate: ")
        }
        sink.append(date)
        sink.append("\r\n")
        writeValidators(extra, into: &sink)
        switch content {
        case .none: break
        case .whole:
            writeType(extra, into: &sink)
            writeLength(into: &sink)
        case .part(let range):
            writeType(extra, into: &sink)
            Self.writeContentRange(range, size: size, into: &sink)
            writeLength(into: &sink)
        case .parts(let parts):
            sink.append("Content-Type: multipart/byteranges; boundary=")
            parts.writeBoundary(into: &sink)
            sink.append("\r\n")
            writeLength(into: &sink)
        }
        extra?.write(into: &sink)
        if closes { sink.append("Connection: close\r\n") }
        if keepsAlive { sink.append("Connection: keep-alive\r\n") }
        sink.append("\r\n")
    }

    private func writeValidators(_ extra: ExtraFields?, into sink: inout ByteSink) {
        if extra?.replaces("last-modified") != true {
            sink.append("Last-Modified: ")
            HTTPDate.write(validators.modified, into: &sink)
            sink.append("\r\n")
        }
        if extra?.replaces("etag") != true {
            sink.append("ETag: ")
            validators.writeTag(into: &sink)
            sink.append("\r\n")
        }
        // Whatever else the configuration names, a cache must not mix up the codings.
        if varies { sink.append("Vary: Accept-Encoding\r\n") }
    }

    private func writeType(_ extra: ExtraFields?, into sink: inout ByteSink) {
        if extra?.replaces("content-type") != true {
            sink.append("Content-Type: ")
            sink.append(type.name)
            sink.append("\r\n")
        }
    }

    private func writeLength(into sink: inout ByteSink) {
        sink.append("Content-Length: ")
        sink.append(decimal: UInt64(length))
        sink.append("\r\nAccept-Ranges: bytes\r\n")
        if let coding {
            sink.append("Content-Encoding: ")
            sink.append(coding.name)
            sink.append("\r\n")
        }
    }

    static func writeContentRange(
        _ range: Range<Int64>, size: Int64, into sink: inout ByteSink
    ) {
        sink.append("Content-Range: bytes ")
        sink.append(decimal: UInt64(range.lowerBound))
        sink.append("-")
        sink.append(decimal: UInt64(range.upperBound - 1))
        sink.append("/")
        sink.append(decimal: UInt64(size))
        sink.append("\r\n")
    }
}
