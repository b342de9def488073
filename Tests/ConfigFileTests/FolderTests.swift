internal import Backends
internal import ConfigFile
internal import Testing

@Suite struct FolderTests {
    @Test(arguments: [
        (["STATE_DIRECTORY": "/s:/t", "HOME": "/h"], true, "/s"),
        (["HOME": "/h"], true, "/var/lib/mooring"),
        (["XDG_STATE_HOME": "/x", "HOME": "/h"], false, "/x/mooring"),
        (["XDG_STATE_HOME": "relative", "HOME": "/h"], false, "/h/.local/state/mooring"),
        (["HOME": "/h/"], false, "/h/.local/state/mooring"),
    ])
    func `the state folder is found`(
        environment: [String: String], isRoot: Bool, expected: String
    ) throws {
        let configuration = try read(someExternal, environment: environment, isRoot: isRoot)
        #expect(configuration.stateDirectory == expected)
        #expect(configuration.keysFile == "\(expected)/session.keys")
    }

    @Test(arguments: [
        (["RUNTIME_DIRECTORY": "/r"], true, "/r"), ([:], true, "/run/mooring"),
        (["XDG_RUNTIME_DIR": "/run/user/7"], false, "/run/user/7/mooring"),
        (["USER": "ann"], false, "/tmp/mooring-ann"),
        (["LOGNAME": "../b", "TMPDIR": "/t/"], false, "/t/mooring-b"),
        ([:], false, "/tmp/mooring"),
    ])
    func `the runtime folder is found`(
        environment: [String: String], isRoot: Bool, expected: String
    ) throws {
        let given = environment.merging(["HOME": "/h"]) { own, _ in own }
        let configuration = try read(someExternal, environment: given, isRoot: isRoot)
        #expect(configuration.runtimeDirectory == expected)
        #expect(configuration.admin.address == .unix(path: "\(expected)/admin.sock"))
    }

    @Test func `without HOME the state folder must be written`() {
        switch result(of: someGroup, environment: [:]) {
        case .success: Issue.record("a state folder was made up")
        case .failure(let found):
            #expect(
                found.description
                    == "mooring.toml:1: state_dir: cannot be told, since HOME is not set;"
                    + " write state_dir = \"/path\"")
        }
    }
}
