// Reads lines and prints sentences until the dialogue ends. SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc

/// Waits for lines, for the workers and for Ctrl-C.
public final class PlainLoop {
    private let dialogue: PlainDialogue
    private let application: WorkbenchApplication
    private let wakeup: Wakeup
    private let interrupts = InterruptFlag()
    private var buffer: [UInt8] = []
    private var hasEnded = false

    public init(dialogue: PlainDialogue, application: WorkbenchApplication, wakeup: Wakeup) {
        self.dialogue = dialogue
        self.application = application
        self.wakeup = wakeup
    }

    /// Runs until `quit`, the end of the input (then work in progress is waited for), or Ctrl-C twice.
    public func run() {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(
            signal: SIGINT, queue: DispatchQueue(label: "interrupt"))
        source.setEventHandler { [interrupts, wakeup] in
            interrupts.set()
            wakeup.wake()
        }
        source.resume()
        dialogue.begin()
        while !dialogue.isFinished {
            if hasEnded, !application.isBusy { return }
            wait()
            if interrupts.take() { dialogue.interrupt() }
            dialogue.tick(now: EventLoop.now)
            takeLines()
        }
    }

    private func wait() {
        var entries = [
            pollfd(fd: hasEnded ? -1 : 0, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let next = application.nextDeadline.map { max(0, $0 - EventLoop.now) * 1000 } ?? 60_000
        _ = poll(&entries, 2, Int32(min(60_000, next.rounded(.up))))
        wakeup.drain()
        guard entries[0].revents != 0 else { return }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(0, &bytes, bytes.count)
        if count > 0 {
            buffer += bytes[..<count]
        } else if count == 0 || errno != EINTR {
            hasEnded = true
            if !buffer.isEmpty { buffer.append(0x0A) }
        }
    }

    /// Lines of a script wait for the model to be loaded and for the run before them.
    private func takeLines() {
        while !dialogue.isFinished, let end = buffer.firstIndex(of: 0x0A) {
            if isatty(0) == 0, application.isBusy { return }
            let line = String(decoding: buffer[..<end], as: UTF8.self)
            buffer.removeSubrange(...end)
            dialogue.take(line)
        }
    }
}

/// A flag set by a signal.
nonisolated private final class InterruptFlag: @unchecked Sendable {
    private let lock = DispatchSemaphore(value: 1)
    private var isSet = false

    func set() {
        lock.wait()
        isSet = true
        lock.signal()
    }

    func take() -> Bool {
        lock.wait()
        defer { lock.signal() }
        let value = isSet
        isSet = false
        return value
    }
}
