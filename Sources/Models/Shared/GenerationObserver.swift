// How a generation is watched.
// SPDX-License-Identifier: Apache-2.0
import Core

/// What one pass left behind.
struct GenerationPass {
    /// Passes so far, this one counted.
    var pass: Int
    var scale: Int
    /// 0 = next-scale pass, j = mask step j.
    var step: Int
    var completesScale: Bool
    var seconds: Double
    var state: ScaleState
    /// f̂ with the present map in it, computed when asked for.
    var accumulated: () -> Tensor
}

/// Watches a generation, may change rows of scales to come, and may end it.
protocol GenerationObserver: AnyObject {
    /// Whether distributions are kept for the token view.
    var wantsGrids: Bool { get }
    /// Whether anybody looks at passes before the end; where not, a device need not be waited for.
    var wantsPasses: Bool { get }
    /// The row to run for a scale that begins now; not asked for in an edit.
    func row(scale: Int, proposed: [Int]) -> [Int]
    /// Called between blocks.
    func checkpoint() throws
    /// After every sampler call.
    func sampled(call: Int, table: LogitTable, codes: [Int32])
    /// After every sort by confidence; per picture.
    func sorted(confidences: [[Float]], orders: [[Int]])
    /// After every pass.
    func pass(_ pass: GenerationPass) throws
    /// After every scale, also one that was kept wholly; `fhat` holds it.
    func finished(_ state: ScaleState, row: [Int], fhat: Tensor)
}

extension GenerationObserver {
    var wantsGrids: Bool { false }
    var wantsPasses: Bool { true }
    func row(scale: Int, proposed: [Int]) -> [Int] { proposed }
    func checkpoint() throws {}
    func sampled(call: Int, table: LogitTable, codes: [Int32]) {}
    func sorted(confidences: [[Float]], orders: [[Int]]) {}
    func pass(_ pass: GenerationPass) throws {}
    func finished(_ state: ScaleState, row: [Int], fhat: Tensor) {}
}

/// Watches nothing.
final class SilentObserver: GenerationObserver {
    init() {}
}
