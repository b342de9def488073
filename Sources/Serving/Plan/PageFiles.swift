internal import ConfigFile
internal import Glibc
internal import Reactor

/// The pages of `errors`, read at the start and at a reload, so that no request waits for the disk.
struct PageFiles: Sendable {
    /// The largest page: it must be sent in one piece.
    private static let longest = 16 * 1024

    /// In the order of the configuration's routes, by status.
    let routes: [[UInt16: [UInt8]]]

    /// - Parameter problems: receives those of unreadable files.
    init(_ configuration: Configuration, problems: inout [Problem]) {
        let pages = Self.contents(of: configuration.routes.flatMap(\.errors), problems: &problems)
        routes = configuration.routes.map { route in
            Dictionary(
                route.errors.compactMap { file in
                    pages[file.path].map { (UInt16(file.status), $0) }
                }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// The problems of all pages, including those of groups without a route.
    static func problems(in configuration: Configuration) -> [Problem] {
        var problems: [Problem] = []
        _ = contents(
            of: configuration.routes.flatMap(\.errors) + configuration.groups.flatMap(\.errors),
            problems: &problems)
        return problems
    }

    /// The pages by path; an unreadable one is reported once, and missing.
    private static func contents(
        of files: [Configuration.ErrorFile], problems: inout [Problem]
    ) -> [String: [UInt8]] {
        var pages: [String: [UInt8]] = [:]
        var failed: Set<String> = []
        for file in files where pages[file.path] == nil && !failed.contains(file.path) {
            do throws(SystemError) {
                pages[file.path] = try content(of: file.path)
            } catch {
                failed.insert(file.path)
                problems.append(
                    file.place.problem(
                        "cannot read \(file.path): \(reason(error)); needs a page of at most "
                            + "\(longest / 1024) KiB"))
            }
        }
        return pages
    }

    private static func reason(_ error: SystemError) -> String {
        error.errno == EFBIG ? "it is too large" : SystemError.message(error.errno)
    }

    private static func content(of path: String) throws(SystemError) -> [UInt8] {
        // Opening a FIFO would block without a writer.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw SystemError(call: "open", errno: errno) }
        defer { close(descriptor) }
        var block = [UInt8](repeating: 0, count: longest + 1)
        var count = 0
        while count < block.count {
            let more = unsafe block.withUnsafeMutableBytes { buffer in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                return unsafe read(descriptor, room.baseAddress, room.count)
            }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw SystemError(call: "read", errno: errno) }
            if more == 0 { return Array(block[..<count]) }
            count += more
        }
        throw SystemError(call: "read", errno: EFBIG)
    }
}
