/// Public names of processes: eight characters that are neither ambiguous nor form a path.
///
/// 40 bits, drawn independently of the incarnation, which must not be guessable from it.
enum ProcessLabel {
    static let length = 8
    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)

    static func make(from random: UInt64) -> String {
        let characters = (0..<length).map { position in
            alphabet[Int(truncatingIfNeeded: (random >> UInt64(position * 5)) & 31)]
        }
        return String(decoding: characters, as: UTF8.self)
    }

    /// Whether a text has the form of a label.
    static func isValid(_ text: String) -> Bool {
        text.utf8.count == length && text.utf8.allSatisfy(alphabet.contains)
    }
}
