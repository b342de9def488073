internal import Foundation
internal import Reactor
internal import Testing

/// Of a machine that is a folder with `proc` and `sys`.
@Suite final class MachineMemoryTests {
    private let root: String

    init() throws {
        root = NSTemporaryDirectory() + "mooring-memory-\(UInt64.random(in: 0 ... .max))"
        try write("/proc/meminfo", "MemFree:  1 kB\nMemTotal:    4194304 kB\n")
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func write(_ file: String, _ text: String) throws {
        let path = root + file
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent,
            withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private var bytes: Int { MachineMemory.bytes(root: root) }

    @Test func `without a cgroup it is the machine's`() {
        #expect(bytes == 4 << 30)
    }

    @Test func `a cgroup bounds it`() throws {
        try write("/proc/self/cgroup", "0::/system.slice/mooring.service\n")
        try write("/sys/fs/cgroup/system.slice/mooring.service/memory.max", "268435456\n")
        #expect(bytes == 256 << 20)
    }

    @Test func `a cgroup above bounds it too`() throws {
        try write("/proc/self/cgroup", "0::/system.slice/mooring.service\n")
        try write("/sys/fs/cgroup/system.slice/mooring.service/memory.max", "max\n")
        try write("/sys/fs/cgroup/system.slice/memory.max", "1073741824\n")
        #expect(bytes == 1 << 30)
    }

    @Test func `a container sees its own cgroup as the root`() throws {
        try write("/proc/self/cgroup", "0::/\n")
        try write("/sys/fs/cgroup/memory.max", "536870912\n")
        #expect(bytes == 512 << 20)
    }

    @Test func `the memory controller of version 1 bounds it`() throws {
        try write("/proc/self/cgroup", "12:cpu,cpuacct:/a\n4:memory:/docker/abc\n")
        try write("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "134217728\n")
        try write(
            "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
        #expect(bytes == 128 << 20)
    }

    @Test func `a limit above the machine's memory is none`() throws {
        try write("/proc/self/cgroup", "0::/\n")
        try write("/sys/fs/cgroup/memory.max", "99999999999999999999999\n")
        #expect(bytes == 4 << 30)
    }

    @Test func `this machine has some`() {
        #expect(MachineMemory.bytes() > 1 << 20)
    }
}
