internal import CLinux
internal import Foundation
internal import Glibc
internal import Testing

@testable internal import Reactor

@Suite struct ServedFolderTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("served-\(UUID().uuidString.prefix(8))")

    init() throws {
        let manager = FileManager.default
        try manager.createDirectory(
            at: folder.appendingPathComponent("root/sub"), withIntermediateDirectories: true)
        try Data("inside".utf8).write(to: folder.appendingPathComponent("root/sub/a.txt"))
        try Data("outside".utf8).write(to: folder.appendingPathComponent("secret"))
        func link(_ name: String, _ target: String) throws {
            try manager.createSymbolicLink(
                atPath: folder.appendingPathComponent("root/\(name)").path,
                withDestinationPath: target)
        }
        try link("up", "../secret")
        try link("absolute", folder.appendingPathComponent("secret").path)
        try link("updir", "..")
        try link("within", "sub/a.txt")
        try link("loop", "loop")
        #expect(unsafe mkfifo(folder.appendingPathComponent("root/pipe").path, 0o644) == 0)
    }

    private func opened(_ name: String, in served: ServedFolder) -> String {
        switch served.open(Array(name.utf8) + [0]) {
        case .file(let file):
            defer { file.close() }
            var pool = BlockPool(blockSize: 4096, keep: 1)
            var block = Block.none
            pool.equip(&block)
            defer { pool.release(&block) }
            #expect(file.read(into: &block, at: 0, atMost: 100) == .moved(Int(file.size)))
            return unsafe String(decoding: block.readable, as: UTF8.self)
        case .folder: return "folder"
        case .other: return "other"
        case .failed(let code): return "errno \(code)"
        }
    }

    @Test func `files below the folder are opened, and nothing else`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let served = try ServedFolder(folder.appendingPathComponent("root").path)
        #expect(opened("sub/a.txt", in: served) == "inside")
        #expect(opened("within", in: served) == "inside")
        #expect(opened("sub", in: served) == "folder")
        #expect(opened(".", in: served) == "folder")
        #expect(opened("pipe", in: served) == "other")
        #expect(opened("none", in: served) == "errno \(ENOENT)")
        #expect(opened("sub/a.txt/b", in: served) == "errno \(ENOTDIR)")
        for name in ["up", "absolute", "updir/secret", "../secret", "/etc/passwd"] {
            #expect(opened(name, in: served) == "errno \(EXDEV)", "\(name)")
        }
        #expect(opened("loop", in: served) == "errno \(ELOOP)")
    }

    @Test func `an old kernel's way follows no link at all`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let root = try unsafe #require(
            Optional(mooring_open_folder(folder.appendingPathComponent("root").path)))
        defer { mooring_close(root) }
        func kind(_ name: String) -> Int32 {
            var facts = mooring_served()
            let opened = unsafe mooring_open_below_by_steps(root, name, &facts)
            guard opened >= 0 else { return opened }
            mooring_close(opened)
            return Int32(facts.kind.rawValue)
        }
        #expect(kind("sub/a.txt") == Int32(MOORING_FILE.rawValue))
        #expect(kind("sub//a.txt") == Int32(MOORING_FILE.rawValue))
        #expect(kind("sub/") == Int32(MOORING_FOLDER.rawValue))
        #expect(kind(".") == Int32(MOORING_FOLDER.rawValue))
        #expect(kind("pipe") == Int32(MOORING_OTHER.rawValue))
        #expect(kind("none") == -ENOENT)
        for name in ["up", "absolute", "within", "loop"] {
            #expect(kind(name) == -ELOOP, "\(name)")
        }
        #expect(kind("updir/secret") == -ENOTDIR)
        #expect(kind("../secret") == -EXDEV)
        #expect(kind("sub/../../secret") == -EXDEV)
    }

    @Test func `what is no folder cannot be served`() {
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: SystemError.self) {
            try ServedFolder(folder.appendingPathComponent("secret").path)
        }
        #expect(throws: SystemError.self) {
            try ServedFolder(folder.appendingPathComponent("missing").path)
        }
    }
}
