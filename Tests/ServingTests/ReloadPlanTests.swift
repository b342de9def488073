internal import AdminAPI
internal import ConfigFile
internal import Settings
internal import TestSupport
internal import Testing

@testable internal import Serving

@Suite struct ReloadPlanTests {
    typealias Running = ReloadPlan.Running

    private static let shop = "[group.shop]\ncommand = [\"shop\"]\n"
    private static let blog = "[group.blog]\ncommand = [\"blog\"]\n"
    private static let routes = "[routes]\n\"/\" = \"shop\"\n\"/blog\" = \"blog\"\n"
    private static let onlyShop = shop + "[routes]\n\"/\" = \"shop\"\n"
    private static let onlyBlog = blog + "[routes]\n\"/blog\" = \"blog\"\n"
    private static let both = shop + blog + routes

    private static func wanted(_ text: String) throws -> ReloadPlan.Wanted {
        let configuration = try configuration(text)
        return .init(
            configuration: configuration,
            launchFingerprints: configuration.groups.map {
                $0.launchFingerprint(environment: $0.launch?.environment ?? [:])
            })
    }

    /// What runs after a start with a configuration.
    private static func running(_ text: String) throws -> Running {
        let wanted = try wanted(text)
        return Running(
            configuration: wanted.configuration,
            groups: zip(wanted.configuration.groups, wanted.launchFingerprints).map {
                Running.Group(configuration: $0, launchFingerprint: $1)
            })
    }

    /// What runs after a plan was carried out.
    private static func running(
        after plan: ReloadPlan, from old: Running, to new: ReloadPlan.Wanted
    ) -> Running {
        var running = old
        running.configuration = new.configuration
        for step in plan.steps {
            switch step {
            case .start(_, let configured):
                running.groups.append(
                    .init(
                        configuration: new.configuration.groups[configured],
                        launchFingerprint: new.launchFingerprints[configured]))
            case .adjust(let index, let configured), .restart(let index, let configured),
                .keepServing(let index, let configured), .revive(let index, let configured, _):
                running.groups[index] = .init(
                    configuration: new.configuration.groups[configured],
                    launchFingerprint: new.launchFingerprints[configured])
            case .retire(let index): running.groups[index].isRetired = true
            }
        }
        return running
    }

    private static func plan(from old: String, to new: String) throws -> ReloadPlan {
        ReloadPlan(from: try running(old), to: try wanted(new))
    }

    @Test func `where nothing has changed nothing is done`() throws {
        let plan = try Self.plan(from: Self.both, to: "# the same\n" + Self.both)
        #expect(plan.steps == [])
        #expect(plan.indices == [0, 1])
        #expect(plan.report == .init())
    }

    @Test func `a launch that still serves is kept when the file returns to it`() throws {
        var running = try Self.running(
            Self.shop + "env = { A = \"b\" }\n" + Self.blog + Self.routes)
        let before = try Self.wanted(Self.both)
        // The new generation did not start.
        running.groups[0].servingFingerprint = before.launchFingerprints[0]
        let back = ReloadPlan(from: running, to: before)
        #expect(back.steps == [.keepServing(index: 0, configured: 0)])
        #expect(back.report.changed == ["shop"] && back.report.restarted.isEmpty)
        let other = try Self.wanted(
            Self.shop + "env = { A = \"c\" }\n" + Self.blog + Self.routes)
        #expect(ReloadPlan(from: running, to: other).steps == [.restart(index: 0, configured: 0)])
    }

    @Test func `another order in the file is no change`() throws {
        let plan = try Self.plan(from: Self.both, to: Self.blog + Self.shop + Self.routes)
        #expect(plan.steps == [])
        #expect(plan.indices == [1, 0])
    }

    @Test func `a limit is adjusted in place`() throws {
        let plan = try Self.plan(
            from: Self.both, to: Self.shop + "queue = 7\n" + Self.blog + Self.routes)
        #expect(plan.steps == [.adjust(index: 0, configured: 0)])
        #expect(plan.report.changed == ["shop"])
        #expect(plan.report.restarted == [])
    }

    @Test func `what processes are started with begins a new generation`() throws {
        let changed = Self.shop + "env = { A = \"b\" }\n" + Self.blog + Self.routes
        let plan = try Self.plan(from: Self.both, to: changed)
        #expect(plan.steps == [.restart(index: 0, configured: 0)])
        #expect(plan.report.restarted == ["shop"])
        #expect(plan.report.changed == [])
    }

    @Test func `a group that is added stands behind all others`() throws {
        let plan = try Self.plan(from: Self.onlyBlog, to: Self.both)
        #expect(plan.steps == [.start(index: 1, configured: 0)])
        #expect(plan.indices == [1, 0])
        #expect(plan.report.added == ["shop"])
    }

    @Test func `a group that is removed is retired where it is`() throws {
        let plan = try Self.plan(from: Self.both, to: Self.onlyBlog)
        #expect(plan.steps == [.retire(index: 0)])
        #expect(plan.indices == [1])
        #expect(plan.report.removed == ["shop"])
    }

    @Test(arguments: [("", false), ("queue = 7\n", false), ("env = { A = \"b\" }\n", true)])
    func `a group that comes back is revived`(_ change: String, _ isNew: Bool) throws {
        let gone = try Self.wanted(Self.onlyBlog)
        let start = try Self.running(Self.both)
        let without = Self.running(after: ReloadPlan(from: start, to: gone), from: start, to: gone)
        let back = ReloadPlan(
            from: without, to: try Self.wanted(Self.shop + change + Self.blog + Self.routes))
        #expect(back.steps == [.revive(index: 0, configured: 0, newGeneration: isNew)])
        #expect(back.indices == [0, 1])
        #expect(back.report.added == ["shop"])
        #expect(back.report.restarted == [])
    }

    @Test func `processes and servers of one name are two groups`() throws {
        let servers = "[group.shop]\nservers = [\"10.0.0.7:80\"]\n[routes]\n\"/\" = \"shop\"\n"
        let external = try Self.wanted(servers)
        let spawned = try Self.wanted(Self.onlyShop)
        let start = try Self.running(Self.onlyShop)
        let there = ReloadPlan(from: start, to: external)
        #expect(there.steps == [.retire(index: 0), .start(index: 1, configured: 0)])
        #expect(there.indices == [1])
        #expect(there.report.added == ["shop"])
        #expect(there.report.removed == [])
        let between = Self.running(after: there, from: start, to: external)
        let back = ReloadPlan(from: between, to: spawned)
        #expect(
            back.steps == [
                .retire(index: 1), .revive(index: 0, configured: 0, newGeneration: false),
            ])
        #expect(back.indices == [0])
    }

    @Test func `servers that are verified otherwise are the same servers`() throws {
        func external(_ keys: String) -> String {
            "[group.shop]\nservers = [{ address = \"https://10.0.0.7\"\(keys) }]\n"
        }
        let plan = try Self.plan(from: external(""), to: external(", server_name = \"a.org\""))
        #expect(plan.steps == [.adjust(index: 0, configured: 0)])
        let other = try Self.plan(from: external(""), to: external(", weight = 2"))
        #expect(other.steps == [.adjust(index: 0, configured: 0)])
    }

    @Test func `a scaled group has the bounds of the file again, which is no change of it`() throws
    {
        var running = try Self.running(Self.both)
        running.groups[1].isScaled = true
        let plan = ReloadPlan(from: running, to: try Self.wanted(Self.both))
        #expect(plan.steps == [.adjust(index: 1, configured: 1)])
        #expect(plan.report == .init())
    }

    @Test(arguments: [
        ("workers = 3\n", ["workers"]), ("state_dir = \"/s\"\n", ["state_dir"]),
        ("runtime_dir = \"/r\"\n", ["runtime_dir", "admin.address"]),
        ("[limits]\nconnections = 77\n", ["limits.connections"]),
        ("[limits]\nrequest_body = \"77KiB\"\n", []), ("[log]\nlevel = \"debug\"\n", ["log"]),
        ("[log]\naccess_format = \"json\"\n", []),
        ("[admin]\naddress = \"unix:/run/other.sock\"\n", ["admin.address"]),
    ])
    func `keys that are read once are reported`(_ change: String, _ keys: [String]) throws {
        let plan = try Self.plan(from: Self.both, to: change + Self.both)
        #expect(plan.report.needsRestart == keys)
        #expect(plan.steps == [])
    }

    @Test func `after any reloads every group runs once and a repeated one does nothing`() throws {
        var generator = SeededGenerator(seed: 12)
        var running = try Self.running(Self.both)
        for _ in 0..<300 {
            let names = ["shop", "blog", "wiki"].filter { _ in Bool.random(using: &generator) }
            let chosen = (names.isEmpty ? ["shop"] : names).shuffled(using: &generator)
            let text = chosen.map { name in
                let kinds = ["command = [\"\(name)\"]", "servers = [\"10.0.0.7:80\"]"]
                let extra = ["", "queue = 7", "queue_timeout = \"9s\""]
                return "[group.\(name)]\n\(kinds.randomElement(using: &generator) ?? "")\n"
                    + "\(extra.randomElement(using: &generator) ?? "")\n"
            }
            let routes = chosen.map { "\"/\($0)\" = \"\($0)\"\n" }
            let wanted = try Self.wanted(text.joined() + "[routes]\n" + routes.joined())
            let plan = ReloadPlan(from: running, to: wanted)
            let next = Self.running(after: plan, from: running, to: wanted)
            #expect(Set(plan.indices).count == wanted.configuration.groups.count)
            let present = next.groups.indices.filter { !next.groups[$0].isRetired }
            #expect(present == plan.indices.sorted())
            for (index, group) in zip(plan.indices, wanted.configuration.groups) {
                #expect(next.groups[index].configuration == group)
            }
            let again = ReloadPlan(from: next, to: wanted)
            #expect(again.steps == [])
            #expect(again.indices == plan.indices)
            running = next
        }
        // Names come back to where they were: there are two kinds of three names.
        #expect(running.groups.count <= 6)
    }
}
