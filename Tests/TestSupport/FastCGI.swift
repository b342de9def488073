/// Records as a FastCGI process sends them, by hand.
package enum FastCGI {
    /// One record.
    package static func record(
        _ kind: UInt8, _ content: [UInt8] = [], id: UInt16 = 1, padding: Int = 0,
        version: UInt8 = 1
    ) -> [UInt8] {
        [version, kind, UInt8(id >> 8), UInt8(id & 255)]
            + [UInt8(content.count >> 8), UInt8(content.count & 255), UInt8(padding), 0]
            + content + [UInt8](repeating: 0xaa, count: padding)
    }

    /// A piece of a response.
    package static func output(_ text: String, padding: Int = 0) -> [UInt8] {
        record(6, Array(text.utf8), padding: padding)
    }

    /// What an application says beside it.
    package static func errors(_ text: String, padding: Int = 0) -> [UInt8] {
        record(7, Array(text.utf8), padding: padding)
    }

    /// The end of a response.
    package static func end(
        application: UInt8 = 0, status: UInt8 = 0, padding: Int = 0
    ) -> [UInt8] {
        record(3, [0, 0, 0, application, status, 0, 0, 0], padding: padding)
    }
}
