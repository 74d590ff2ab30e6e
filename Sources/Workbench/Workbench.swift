// The program's entry. SPDX-License-Identifier: Apache-2.0
import ArgumentParser

@main
struct Workbench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workbench",
        abstract: "Look inside generative models and learned symmetries, and steer them by hand.")
}
