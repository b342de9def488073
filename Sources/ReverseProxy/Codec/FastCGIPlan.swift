internal import HTTPWire
internal import Settings

/// The parameters that a group's FastCGI processes receive with every request, ready to be written.
struct FastCGIPlan {
    /// Without a slash at its end; empty: there is none.
    let root: [UInt8]
    let index: [UInt8]
    /// The front controller's name below the root, with a slash, and its file; empty: the path tells which.
    let frontName: [UInt8]
    let frontFile: [UInt8]
    /// The configuration's own parameters, as they are sent.
    let parameters: [UInt8]
    let findsScripts: Bool

    init(_ policy: FastCGIPolicy) {
        let root = policy.root == "/" ? "" : policy.root
        index = Array(policy.index.utf8)
        frontFile = Array(policy.script.utf8)
        findsScripts = policy.findsScripts
        let folder =
            policy.script.isEmpty || !policy.root.isEmpty ? root : Self.folder(of: policy.script)
        self.root = Array(folder.utf8)
        frontName =
            policy.script.isEmpty ? [] : Array(policy.script.utf8.dropFirst(folder.utf8.count))
        var parameters: [UInt8] = []
        for (name, value) in policy.parameters.sorted(by: { $0.key < $1.key }) {
            let (name, value) = (Array(name.utf8), Array(value.utf8))
            parameters += Self.bytes(8 + name.count + value.count) { sink in
                FastCGIParameters.write(name: name.span, value.span, into: &sink)
            }
        }
        self.parameters = parameters
    }

    private static func folder(of file: String) -> String {
        String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)])
    }

    /// What is written, of so many bytes at most.
    static func bytes(_ most: Int, _ write: (inout ByteSink) -> Void) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            var sink = unsafe ByteSink(buffer)
            write(&sink)
            count = sink.count
        }
    }
}
