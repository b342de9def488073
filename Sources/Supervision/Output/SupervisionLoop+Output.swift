internal import Glibc
internal import Logging
internal import Reactor

extension SupervisionLoop {
    /// Reads a portion of a pipe; if there is more, the pipe rests for a moment.
    func read(_ process: ManagedProcess, _ stream: OutputPipe.Stream) {
        let now = Clock.monotonic()
        switch process.read(stream, scratch: &output.scratch, now: now) {
        case .drained:
            break
        case .leftover:
            // Removed from the loop until then, or each write of a flood would wake it.
            loop.remove(stream == .output ? process.output.descriptor : process.errors.descriptor)
            let end = Clock.monotonic()
            process.resumeAt = min(process.resumeAt ?? .max, end + process.pause(after: end - now))
        case .ended:
            finishIfCollected(process)
        }
    }

    /// What an application has said beside a response: of a server that Mooring has not started it goes to the log.
    func hear(_ bytes: [UInt8], of key: ProcessKey, name: String, label: String) {
        let now = Clock.monotonic()
        if let process = processes[key] { return process.hear(bytes, now: now) }
        LineFramer.lines(of: bytes) { line in
            guard output.throttle.admits(now: now) else { return }
            let dropped = output.throttle.takeDropped()
            if dropped > 0 { log.notice("\(dropped) lines of servers not logged") }
            log.notice(
                "\(line)",
                metadata: [
                    "group": "\(name)", "process": "\(label)",
                    "stream": "\(OutputPipe.Stream.errors.rawValue)",
                ])
        }
    }

    /// Continues with pipes that had more than their portion.
    func resumeReading(_ process: ManagedProcess, now: Int64) {
        guard let time = process.resumeAt, time <= now else { return }
        process.resumeAt = nil
        for stream in [OutputPipe.Stream.output, .errors] {
            let pipe = stream == .output ? process.output : process.errors
            let source: EventSource = stream == .output ? .output : .errors
            guard pipe.isOpen else { continue }
            do {
                try loop.add(pipe.descriptor, token: source.token(process.id))
            } catch {
                // EEXIST: it is registered already, since the other pipe had more. Other errors are
                // temporary.
                if error.errno != EEXIST { process.resumeAt = now + ManagedProcess.shortestPause }
            }
            read(process, stream)
        }
    }
}
