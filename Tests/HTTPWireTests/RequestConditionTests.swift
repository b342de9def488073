internal import Testing

@testable internal import HTTPWire

@Suite struct RequestConditionTests {
    /// Modified at Sun, 06 Nov 1994 08:49:37 GMT.
    private static let modified: Int64 = 784_111_777
    private static let file = FileValidators(
        size: 12, modifiedNanoseconds: modified * 1_000_000_000 + 5, inode: 77, now: modified + 100)
    private static let tag = String(decoding: file.tag, as: UTF8.self)
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let earlier = "Sun, 06 Nov 1994 08:49:36 GMT"
    private static let later = "Sun, 06 Nov 1994 08:49:38 GMT"

    private func outcome(_ fields: String...) -> ConditionOutcome {
        withRequest(fields) { $0.conditions($1, on: Self.file) }
    }

    @Test func `without conditions the file is sent`() { #expect(outcome() == .holds) }

    @Test func `If-None-Match compares weakly, in lists and over lines`() {
        #expect(outcome("If-None-Match: \(Self.tag)") == .notModified)
        #expect(outcome("If-None-Match: W/\(Self.tag)") == .notModified)
        #expect(outcome("If-None-Match: \"a\", \(Self.tag), \"b\"") == .notModified)
        #expect(outcome("If-None-Match: \"a\"", "If-None-Match: \(Self.tag)") == .notModified)
        #expect(outcome("If-None-Match: *") == .notModified)
        #expect(outcome("If-None-Match: \"a\"") == .holds)
        #expect(outcome("If-None-Match: \(Self.tag.dropLast())") == .holds)
    }

    @Test func `If-Match compares strongly`() {
        #expect(outcome("If-Match: \(Self.tag)") == .holds)
        #expect(outcome("If-Match: *") == .holds)
        #expect(outcome("If-Match: \"a\", \(Self.tag)") == .holds)
        #expect(outcome("If-Match: W/\(Self.tag)") == .failed)
        #expect(outcome("If-Match: \"a\"") == .failed)
    }

    @Test func `dates are compared to the second`() {
        #expect(outcome("If-Modified-Since: \(Self.date)") == .notModified)
        #expect(outcome("If-Modified-Since: \(Self.later)") == .notModified)
        #expect(outcome("If-Modified-Since: \(Self.earlier)") == .holds)
        #expect(outcome("If-Unmodified-Since: \(Self.date)") == .holds)
        #expect(outcome("If-Unmodified-Since: \(Self.later)") == .holds)
        #expect(outcome("If-Unmodified-Since: \(Self.earlier)") == .failed)
        // The obsolete forms (RFC 9110 section 5.6.7).
        #expect(outcome("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT") == .notModified)
        #expect(outcome("If-Modified-Since: Sun Nov  6 08:49:37 1994") == .notModified)
    }

    @Test func `what is no date is no condition`() {
        #expect(outcome("If-Modified-Since: yesterday") == .holds)
        #expect(outcome("If-Unmodified-Since: 0") == .holds)
        #expect(
            outcome("If-Modified-Since: \(Self.date)", "If-Modified-Since: \(Self.date)") == .holds)
    }

    @Test func `tags come before dates, and If-Match before If-None-Match (RFC 9110 13.2.2)`() {
        #expect(outcome("If-Match: \(Self.tag)", "If-Unmodified-Since: \(Self.earlier)") == .holds)
        #expect(outcome("If-None-Match: \"a\"", "If-Modified-Since: \(Self.date)") == .holds)
        #expect(outcome("If-Match: \"a\"", "If-None-Match: \(Self.tag)") == .failed)
        #expect(outcome("If-Match: \(Self.tag)", "If-None-Match: \(Self.tag)") == .notModified)
    }

    @Test func `a range applies to the state that If-Range names`() {
        func applies(_ value: String?, to file: FileValidators = Self.file) -> Bool {
            withRequest(value.map { ["If-Range: \($0)"] } ?? []) { $0.rangeApplies($1, to: file) }
        }
        #expect(applies(nil))
        #expect(applies(Self.tag))
        #expect(applies(Self.date))
        #expect(!applies("W/\(Self.tag)"))
        #expect(!applies("\"a\""))
        #expect(!applies(Self.later))
        #expect(!applies(Self.earlier))
        #expect(!applies(""))
        // In the second of its change a file may change again.
        let fresh = FileValidators(
            size: 12, modifiedNanoseconds: Self.modified * 1_000_000_000, inode: 77,
            now: Self.modified)
        #expect(!applies(Self.date, to: fresh))
        #expect(applies(String(decoding: fresh.tag, as: UTF8.self), to: fresh))
    }

    @Test func `a tag changes with size, time to the ns, inode and coding`() {
        func tag(
            size: UInt64 = 12, modified: Int64 = 1_000_000_007, inode: UInt64 = 77,
            coding: ContentCoding? = nil
        ) -> [UInt8] {
            FileValidators(
                size: size, modifiedNanoseconds: modified, inode: inode, coding: coding, now: 9
            ).tag
        }
        let others = [
            tag(size: 13), tag(modified: 1_000_000_008), tag(inode: 78), tag(coding: .gzip),
            tag(coding: .brotli),
        ]
        #expect(Set(others + [tag()]).count == 6)
        #expect(tag() == tag())
    }

    @Test func `a date is not later than now, and not before the era`() {
        let future = FileValidators(size: 1, modifiedNanoseconds: 90_000_000_000, inode: 1, now: 9)
        #expect(future.modified == 9)
        let past = FileValidators(size: 1, modifiedNanoseconds: -90_000_000_000, inode: 1, now: 9)
        #expect(past.modified == 0)
    }
}
