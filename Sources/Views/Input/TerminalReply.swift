// Answers that terminals give to questions.
// SPDX-License-Identifier: Apache-2.0

/// An answer of the terminal, taken apart but not interpreted.
nonisolated public enum TerminalReply: Sendable, Hashable {
    /// `CSI ? p;p;… c`: device attributes.
    case deviceAttributes([Int])
    /// `CSI 0 n`: everything sent before the question has been digested.
    case status(Int)
    /// `CSI row;column R`.
    case cursor(row: Int, column: Int)
    /// `CSI p;p;… t`: a window report.
    case window([Int])
    /// `CSI ? item;status;values… S`: a graphics report.
    case graphics([Int])
    /// `CSI ? mode;state $ y`.
    case mode(Int, state: Int)
    /// `DCS text ST`, without the introducer.
    case deviceControl(String)
    /// `OSC text ST`.
    case operatingSystem(String)
    /// `APC text ST`.
    case application(String)
}
