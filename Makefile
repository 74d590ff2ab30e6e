# SPDX-License-Identifier: Apache-2.0
.PHONY: run test build deps
build:
	swift build -c release --static-swift-stdlib
