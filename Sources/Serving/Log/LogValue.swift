internal import Backends
internal import Logging

/// A value of a log event as JSON: numbers stay numbers, lists stay lists.
///
/// Numbers are passed to the log as `.stringConvertible`; a text that consists of digits, such as a
/// process's name, stays a text.
struct LogValue: Encodable {
    private let value: Logger.MetadataValue

    init(_ value: Logger.MetadataValue) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        switch value {
        case .string(let text): try text.encode(to: encoder)
        case .array(let values): try values.map(LogValue.init).encode(to: encoder)
        case .dictionary(let members): try members.mapValues(LogValue.init).encode(to: encoder)
        case .stringConvertible(let value):
            switch value {
            case let span as LogSpan: try span.seconds.encode(to: encoder)
            case let number as any FixedWidthInteger & Encodable: try number.encode(to: encoder)
            case let number as Double where number.isFinite: try number.encode(to: encoder)
            case let flag as Bool: try flag.encode(to: encoder)
            default: try value.description.encode(to: encoder)
            }
        }
    }
}

/// A duration in the log: `0.21s` in text, a number of seconds in JSON.
struct LogSpan: CustomStringConvertible, Sendable {
    let seconds: Double
    let description: String

    init(_ span: Interval) {
        // Microseconds.
        seconds = (span.seconds * 1e6).rounded() / 1e6
        description = text(span)
    }
}

extension Logger.MetadataValue {
    /// A number, also in JSON.
    static func number(_ value: some FixedWidthInteger & CustomStringConvertible & Sendable) -> Self
    {
        .stringConvertible(value)
    }

    /// A span of time: seconds in JSON.
    static func span(_ span: Interval) -> Self { .stringConvertible(LogSpan(span)) }

    /// A list of texts, also in JSON.
    static func texts(_ texts: [String]) -> Self { .array(texts.map { .string($0) }) }
}
