internal import Exchanges
internal import Glibc
internal import HTTPWire
internal import Reactor
internal import Routing

/// Finds the file of a request: below the folder of its route, and nowhere else.
///
/// Belongs to the loop's thread.
final class FileFinder {
    private static let index: StaticString = "index.html"

    private let exchanges: ExchangeTable
    private let plan: Plan
    /// The name that was looked for last, below its folder, with a zero byte behind it: memory for
    /// all requests.
    private var name: [UInt8] = []

    init(_ owners: Owners) {
        exchanges = owners.exchanges
        plan = owners.plan
    }

    /// What a request leads to.
    enum Found {
        /// It is open: its user closes it.
        case file(ServedFile)
        /// A folder with an index, asked for without the slash at its end; the path below the
        /// route's, decoded.
        case folder([UInt8])
        case none
        case zeroByte
        /// An errno.
        case failed(Int32)
    }

    /// Finds the file of the head that was parsed last.
    func find(_ exchange: Int, _ bytes: Span<UInt8>) -> Found {
        guard let folder = folder(exchange) else { return .none }
        switch readName(exchange, bytes) {
        case .zeroByte: return .zeroByte
        case .none: return .none
        case .index:
            appendIndex()
            return found(open(in: folder))
        case .file: break
        }
        let length = name.count
        if length == 0 { append(".") }
        let entry = open(in: folder)
        guard entry == .folder else { return found(entry) }
        name.removeLast(name.count - length)
        let path = length == 0 ? [] : [UInt8(ascii: "/")] + name
        appendIndex()
        guard case .file(let file) = open(in: folder) else { return .none }
        file.close()
        return .folder(path)
    }

    /// The type of the file that was found.
    var type: MediaType { Self.type(of: name) }

    /// The file in the coding that the client likes best, if it lies ready beside the original.
    ///
    /// One that is older than the original is not of it any more.
    func encoded(
        _ exchange: Int, _ bytes: Span<UInt8>, _ original: ServedFile
    ) -> (ServedFile, ContentCoding?) {
        guard let folder = folder(exchange) else { return (original, nil) }
        let length = name.count - 1
        var accepted = AcceptedCodings(exchanges.heads.request, bytes)
        while let coding = accepted.takeBest() {
            name.removeLast(name.count - length)
            append(coding.ending)
            guard case .file(let file) = open(in: folder) else { continue }
            if file.modified >= original.modified {
                original.close()
                return (file, coding)
            }
            file.close()
        }
        return (original, nil)
    }

    private func readName(_ exchange: Int, _ bytes: Span<UInt8>) -> FilePath.Target {
        let path = bytes.extracting(exchanges.heads.request.path.range)
        let prefix = exchanges[exchange].prefixLength
        guard exchanges[exchange].resolvesPath else {
            return FilePath.read(path, after: prefix, into: &name)
        }
        return FilePath.read(RequestPath.resolved(path).span, after: prefix, into: &name)
    }

    private func folder(_ exchange: Int) -> ServedFolder? {
        plan.routes.folders[Int(exchanges[exchange].route)]
    }

    private func found(_ entry: ServedFolder.Entry) -> Found {
        switch entry {
        case .file(let file): .file(file)
        case .folder, .other: .none
        case .failed(ENOENT), .failed(ENOTDIR), .failed(ENAMETOOLONG), .failed(ENXIO): .none
        case .failed(let code): .failed(code)
        }
    }

    /// Opens what has the name, which gets the zero byte that ends it.
    private func open(in folder: ServedFolder) -> ServedFolder.Entry {
        name.append(0)
        return folder.open(name)
    }

    private func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { unsafe name.append(text.utf8Start[index]) }
    }

    private func appendIndex() {
        if !name.isEmpty { name.append(UInt8(ascii: "/")) }
        append(Self.index)
    }

    private static func type(of name: [UInt8]) -> MediaType {
        MediaType(of: name.span.extracting(..<(name.count - 1)))
    }
}
