internal import HTTPWire
internal import Testing

/// What a decoder made of the records of a response.
struct DecodedRecords: Equatable {
    var output: [UInt8] = []
    /// Each record's, one after the other.
    var errors: [[UInt8]] = []
    var end: FastCGIRecords.End?
    var isBad = false
    /// Bytes behind the end.
    var rest = 0

    /// Decodes bytes that come in pieces.
    init(_ pieces: [[UInt8]]) {
        var decoder = FastCGIDecoder()
        var said: [UInt8] = []
        for piece in pieces {
            var position = 0
            while position < piece.count, !decoder.isOver {
                switch decoder.next(piece.span.extracting(position...)) {
                case .output(let consumed, let range):
                    output += piece[position + range.lowerBound..<position + range.upperBound]
                    position += consumed
                case .errors(let consumed, let range, let endsRecord):
                    said += piece[position + range.lowerBound..<position + range.upperBound]
                    if endsRecord {
                        errors.append(said)
                        said = []
                    }
                    position += consumed
                case .needMore: position = piece.count
                case .end(let consumed): position += consumed
                case .bad: position = piece.count
                }
            }
            rest += piece.count - position
        }
        end = decoder.end
        isBad = decoder.isBad
    }

    init(_ bytes: [UInt8]) { self.init([bytes]) }
}
