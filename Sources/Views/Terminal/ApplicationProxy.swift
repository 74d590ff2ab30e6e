// An application around another one: everything passes unless a subclass steps in.
// SPDX-License-Identifier: Apache-2.0

/// Passes events on and hands frames out.
open class ApplicationProxy: Application {
    public let base: any Application

    public init(_ base: any Application) { self.base = base }

    open var isFinished: Bool { base.isFinished }
    open var needsDisplay: Bool { base.needsDisplay }
    open var nextDeadline: Double? { base.nextDeadline }
    open var wantsHover: Bool { base.wantsHover }
    open var wantsMouse: Bool { base.wantsMouse }
    open func handle(_ event: InputEvent) { base.handle(event) }
    open func tick(now: Double) { base.tick(now: now) }
    open func draw(size: CellSize) -> Frame { base.draw(size: size) }
    open func takeRequests() -> [TerminalRequest] { base.takeRequests() }
    open func terminalChanged(_ capabilities: Capabilities) { base.terminalChanged(capabilities) }
    open func willTerminate() { base.willTerminate() }
}

/// Ends the process in a certain way once the first frame has been shown.
public final class CrashingApplication: ApplicationProxy {
    private let kind: DebugCrash
    private var framesLeft = 2

    public init(_ base: any Application, kind: DebugCrash) {
        self.kind = kind
        super.init(base)
    }

    public override var needsDisplay: Bool { framesLeft > 0 || base.needsDisplay }

    public override func draw(size: CellSize) -> Frame {
        framesLeft -= 1
        // The first frame has been sent when a second one is composed.
        if framesLeft == 0 { kind.perform() }
        return base.draw(size: size)
    }
}
