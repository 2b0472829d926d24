// SPDX-License-Identifier: Apache-2.0
// A plugin of clang-tidy-19, built and loaded by tools/run_clang_tidy.sh. By itself clang-tidy 19
// asks each check about each node of all headers, those of the system too, and then hides what it
// found there: two thirds of its time. Here the walk is limited to what is declared in our own
// files, which is what clang-tidy 21 does by itself: this file goes away with the step to that
// version.
#include <clang-tidy/ClangTidyCheck.h>
#include <clang-tidy/ClangTidyModule.h>
#include <clang-tidy/ClangTidyModuleRegistry.h>
#include <clang/AST/ASTContext.h>
#include <clang/ASTMatchers/ASTMatchers.h>
#include <clang/Basic/SourceManager.h>

#include <vector>

namespace {

class OwnCodeOnly : public clang::tidy::ClangTidyCheck {
public:
    using ClangTidyCheck::ClangTidyCheck;

    void registerMatchers(clang::ast_matchers::MatchFinder* finder) override {
        finder->addMatcher(clang::ast_matchers::translationUnitDecl(), this);
    }

    // Called for the root, before the walk looks which of its children it is to visit.
    void check(const clang::ast_matchers::MatchFinder::MatchResult& result) override {
        const clang::SourceManager& sources = *result.SourceManager;
        std::vector<clang::Decl*> own;
        for (clang::Decl* declared : result.Context->getTranslationUnitDecl()->decls()) {
            if (!sources.isInSystemHeader(sources.getExpansionLoc(declared->getLocation()))) {
                own.push_back(declared);
            }
        }
        result.Context->setTraversalScope(own);
    }
};

class OwnCodeModule : public clang::tidy::ClangTidyModule {
public:
    void addCheckFactories(clang::tidy::ClangTidyCheckFactories& factories) override {
        factories.registerCheck<OwnCodeOnly>("colophon-own-code-only");
    }
};

const clang::tidy::ClangTidyModuleRegistry::Add<OwnCodeModule> kAdded("colophon", "");

}  // namespace
