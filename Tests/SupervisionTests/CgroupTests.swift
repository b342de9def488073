internal import Backends
internal import Glibc
internal import TestSupport
internal import Testing

@testable internal import Supervision

extension SupervisorTests {
    /// With a cgroup for each process, where the tests may make one.
    @Suite(.enabled(if: CgroupTree.own() != nil)) struct Grouped {
        @Test func `a descendant that hides ends with its process`() throws {
            // A session of its own and an empty environment: neither tells whose it is.
            let fixture = try SupervisionFixture(
                script: """
                    env -i setsid sh -c 'echo hidden $$; exec sleep 1000' &
                    exec sleep 1000
                    """)
            let process = fixture.spawn()
            let hidden = try #require(Int32(fixture.waitForLine("hidden ")))
            fixture.terminate(process)
            #expect(try fixture.waitForExit(process).signal == SIGTERM)
            let hasEnded = Pidfd(of: hidden).waitForEnd(milliseconds: 20_000)
            #expect(hasEnded)
        }

        @Test func `a process begins in a cgroup with its name, which goes with it`() throws {
            let fixture = try SupervisionFixture(script: "cat /proc/self/cgroup; exec sleep 1000")
            let process = fixture.spawn()
            let path = try fixture.waitForLine("0::")
            let pid = try fixture.pid(of: process)
            let cgroup = try #require(CgroupTree.own()).path
            let name = try #require(path.split(separator: "/").last)
            #expect(name.hasPrefix("mooring-group0-"))
            #expect(Cgroup(path: "\(cgroup)/\(name)").members().contains(pid))
            fixture.kill(process)
            _ = try fixture.waitForExit(process)
            fixture.supervisor.stop()
            #expect(unsafe access("\(cgroup)/\(name)", F_OK) != 0)
        }

        @Test func `a failed start leaves no cgroup`() throws {
            let fixture = try SupervisionFixture(["./app"]) { $0.groupName = "fails\(getpid())" }
            _ = try fixture.waitForExit(fixture.spawn())
            let tree = try #require(CgroupTree.own())
            #expect(!ProcFile.directories(tree.path).contains { $0.contains("fails\(getpid())") })
        }

        @Test func `what a killed balancer left is removed, inner groups too`() throws {
            let tree = try #require(CgroupTree.own())
            let left = try #require(tree.make(group: "left/over", label: "k3f9abcd"))
            #expect(left.path == "\(tree.path)/mooring-left_over-k3f9abcd")
            unsafe mkdir("\(left.path)/inner", 0o755)
            #expect(tree.removeLeftovers() >= 1)
            #expect(unsafe access(left.path, F_OK) != 0)
        }

        @Test func `the cgroup of a process is found again by its pid`() throws {
            let fixture = try SupervisionFixture(["sleep", "1000"])
            let process = fixture.spawn()
            let pid = try fixture.pid(of: process)
            let label = try fixture.label(of: process)
            let found = CgroupTree.holding(pid: pid, group: "group0", label: label)
            #expect(found?.members() == [pid])
            #expect(CgroupTree.holding(pid: pid, group: "group0", label: "other") == nil)
        }
    }
}

@Suite struct CgroupTreeTests {
    private let unified = "25 24 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"

    @Test(arguments: [
        ("0::/system.slice/mooring.service\n", "/sys/fs/cgroup/system.slice/mooring.service"),
        ("1:name=systemd:/x\n0::/\n", "/sys/fs/cgroup"),
    ])
    func `the directory is the membership below the mount point`(membership: String, path: String) {
        #expect(CgroupTree.directory(mountInfo: unified, memberships: membership) == path)
    }

    @Test func `a mount of a part shows what lies in that part`() {
        let mounts = "9 8 0:2 /a /mnt/cg rw shared:1 - cgroup2 none rw\n"
        #expect(CgroupTree.directory(mountInfo: mounts, memberships: "0::/a/b\n") == "/mnt/cg/b")
        #expect(CgroupTree.directory(mountInfo: mounts, memberships: "0::/ab\n") == nil)
    }

    @Test(arguments: ["", "1:cpu:/x\n", "0::/../outside\n"])
    func `no membership that is visible here is none`(membership: String) {
        #expect(CgroupTree.directory(mountInfo: unified, memberships: membership) == nil)
    }

    @Test(arguments: ["", "25 24 0:22 / /sys/fs/cgroup rw - cgroup cgroup rw\n", "- cgroup2\n"])
    func `without a version 2 mount there is none`(mounts: String) {
        #expect(CgroupTree.directory(mountInfo: mounts, memberships: "0::/\n") == nil)
    }
}
