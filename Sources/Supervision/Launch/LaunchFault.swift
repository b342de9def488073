internal import Glibc

/// One thing that keeps the processes of a group from being started, found out beforehand.
package struct LaunchFault: Equatable, Sendable {
    /// What of a launch it is about.
    package enum Subject: Equatable, Sendable {
        case directory
        case program
        case user
        case limit(String?)
        case application
        case server
        case environment
    }

    package var subject: Subject
    /// What is wrong; what would be right.
    package var sentence: String
    /// Whether it concerns only who asks, and may not be so for who starts the processes.
    package var isWarning = false

    init(_ subject: Subject, _ sentence: String, isWarning: Bool = false) {
        self.subject = subject
        self.sentence = sentence
        self.isWarning = isWarning
    }

    init(_ failure: SpawnFailure) {
        switch failure.step {
        case "cwd": subject = .directory
        case "user", "group": subject = .user
        case "rlimits": subject = .limit(failure.subject)
        default: subject = .program
        }
        let isRefused = failure.errno == EACCES && subject == .program
        sentence =
            failure.description
            + (isRefused ? "; choose one that the group's user may execute" : "")
    }
}
